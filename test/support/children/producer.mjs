// A process that enqueues a mixture of jobs at a given rate until it is stopped, and writes down each that was accepted.
import { openSync, writeSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import { JobQueue } from '../../../dist/index.js'
import { letGo, serve } from './channel.mjs'

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }
let db
let producing
const stop = new AbortController()

/** Of ten jobs in a row: most do nothing, some take a while, come late, are urgent, or fail once. */
const MIXTURE = [
  { args: { do: 'return' } },
  { args: { do: 'work', ms: 20 } },
  { args: { do: 'return' }, delay: '2s' },
  { args: { do: 'return' }, priority: 1 },
  { args: { do: 'return', failures: 1 } },
  { args: { do: 'return', result: { text: 'x'.repeat(200) } } },
  { args: { do: 'return' }, metadata: { tenant: 'a' } },
  { args: { do: 'return' }, priority: 9 },
  { args: { do: 'work', ms: 5 } },
  { args: { do: 'return' } },
]

/** @param {{ databaseUrl: string, schema: string, folder: string, perSecond: number }} config */
async function start({ databaseUrl, schema, folder, perSecond }) {
  db = new Pool({ connectionString: databaseUrl, max: 4 })
  const queue = new JobQueue(db, { schema, logger: SILENT })
  const line = new JobQueue(db, { schema, queueName: 'line', fifo: true, logger: SILENT })
  const file = openSync(path.join(folder, `${process.pid}.promised`), 'a')
  const note = (jobs) => writeSync(file, jobs.map(({ id }) => `${id}\n`).join(''))
  producing = produce(async (count) => {
    const items = Array.from({ length: count - 1 }, (_, index) => MIXTURE[index % MIXTURE.length])
    note(await queue.enqueueMany(items))
    note([await line.enqueue({ do: 'return' })])
  }, perSecond)
}

async function produce(enqueue, perSecond) {
  const everyMs = 100
  const began = performance.now()
  for (let tick = 1; !stop.signal.aborted; tick += 1) {
    await enqueue(Math.round((perSecond * everyMs) / 1_000))
    await sleep(Math.max(0, began + tick * everyMs - performance.now()))
  }
}

serve({
  start,
  memory: () => {
    globalThis.gc()
    return process.memoryUsage().heapUsed
  },
  stop: async () => {
    stop.abort()
    await producing
    await db.end()
    setImmediate(letGo)
  },
})
