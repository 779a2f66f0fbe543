// A process that receives. What a handler does is written in its job's arguments: see JobScript in ../workers.ts.
import { existsSync, openSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import { Discard, JobQueue, Snooze } from '../../../dist/index.js'
import { describeError, letGo, serve, tell } from './channel.mjs'

const queues = new Map()
const released = new Set()
const waiting = new Map()
let db
let runTable
let executions
let executionsFile
let isQuiet = false
let stop = new AbortController()
let receiving = []

/** Events of single jobs and batches, of which a quick worker has thousands. */
const OF_JOBS = /^(job|claim|settle)\.(enqueued|started|finished|given_back|made)$/

/** @param {import('../workers.ts').WorkerConfig} config */
async function open({ databaseUrl, poolSize, queue, runLog, executions: folder, quiet }) {
  runTable = runLog
  executions = folder
  if (folder !== undefined)
    executionsFile ??= openSync(path.join(folder, `${process.pid}.runs`), 'a')
  isQuiet = quiet
  db ??= new Pool({ connectionString: databaseUrl, max: poolSize })
  const opened = new JobQueue(db, work, { logger, ...queue })
  // All queues tell what happens to the process, so that only the first one is asked for that.
  const isFirst = queues.size === 0
  opened.observe((event) => {
    if (quiet && OF_JOBS.test(event.type)) return
    if (isFirst || 'jobId' in event) void tell('event', { event: plain(event) })
  })
  queues.set(opened.queueName, opened)
}

async function receive({ queueName, options }) {
  if (stop.signal.aborted) stop = new AbortController()
  const queue = queues.get(queueName)
  const ended = queue.receive({ ...options, signal: stop.signal })
  receiving.push(ended)
  ended.catch((error) => tell('receive rejected', { error: describeError(error) }))
  // Nobody knows when it is at work but by its first event; a programming error rejects at once.
  await Promise.race([ended, until(queue, 'worker.registered')])
}

async function stopReceiving() {
  const startedAt = performance.now()
  stop.abort()
  await Promise.all(receiving)
  receiving = []
  return { ms: performance.now() - startedAt }
}

let isRegistered = false
async function until(queue, type) {
  if (isRegistered) return
  await new Promise((resolve) => {
    const forget = queue.observe((event) => {
      if (event.type !== type) return
      forget()
      resolve()
    })
  })
  isRegistered = true
}

const did = {
  return: ({ args }) => args.result,
  throw: ({ args }) => {
    throw new Error(args.message ?? 'on purpose')
  },
  discard: ({ args }) => {
    throw new Discard(args.message)
  },
  snooze: ({ args, attempt, id }) => {
    if (released.has(id)) return attempt
    released.add(id)
    throw new Snooze(args.delay ?? 100)
  },
  exit: ({ args }) => process.exit(args.code ?? 1),
  kill: () => process.kill(process.pid, 'SIGKILL'),
  hold: async (job, { signal }) => {
    await Promise.race([untilReleased(job.id), untilAborted(signal)])
    if (!signal.aborted) return job.args.result
    await tell('aborted', { jobId: job.id, attempt: job.attempt, code: signal.reason?.code })
    throw signal.reason
  },
  report: async (job, context) => {
    context.progress(job.args.result)
    context.log(job.args.message, { pid: process.pid })
    return did.hold(job, context)
  },
  deaf: async (job, { signal }) => {
    void untilAborted(signal).then(() =>
      tell('aborted', { jobId: job.id, attempt: job.attempt, code: signal.reason?.code }),
    )
    await untilReleased(job.id)
    return job.args.result
  },
  work: async ({ args }, { signal }) => {
    await sleep(args.ms ?? 10, undefined, { signal })
    return args.result
  },
  block: ({ args }) => {
    for (const end = performance.now() + (args.ms ?? 100); performance.now() < end;);
    return args.result
  },
  'block-once': (job) => {
    const flag = path.join(executions, `${job.id}.blocked`)
    if (existsSync(flag)) return
    writeFileSync(flag, '')
    did.block(job)
  },
  hog: async ({ args }) => {
    const client = await db.connect()
    await sleep(args.ms ?? 100)
    client.release()
  },
  misbehave: ({ args, attempt }) => {
    if (attempt > 1) return undefined
    return badManners[args.how]()
  },
}

const badManners = {
  string: () => {
    throw 'a string'
  },
  null: () => {
    throw null
  },
  undefined: () => {
    throw undefined
  },
  symbol: () => {
    throw Symbol('thrown')
  },
  getters: () => {
    const get = () => {
      throw new Error('from a getter')
    }
    throw Object.defineProperties({}, { name: { get }, message: { get }, stack: { get } })
  },
  huge: () => {
    throw new Error('x'.repeat(5_000_000))
  },
  never: () => new Promise(() => {}),
}

/** At once and by the system's own hand: not even SIGKILL loses it, and no fault of the database touches it. */
function writeDown(what, { id, attempt }) {
  if (executionsFile === undefined) return
  const at = performance.timeOrigin + performance.now() // not moved by whoever shifts the clock
  writeSync(executionsFile, `${at} ${what} ${id} ${attempt}\n`)
}

async function work(job, context) {
  writeDown('start', job)
  try {
    return await run(job, context)
  } finally {
    writeDown('end', job)
  }
}

async function run(job, context) {
  const { id: jobId, queueName, attempt, args } = job
  if (runTable !== undefined) {
    await db.query(
      `insert into ${runTable} (job_id, attempt, pid, queue_name) values ($1::text::bigint, $2, $3, $4)`,
      [jobId, attempt, process.pid, queueName],
    )
  }
  if (!isQuiet || args?.do !== undefined) await tell('run', { jobId, attempt, queueName, args })
  if (attempt <= (args?.failures ?? 0)) throw new Error(`failure ${attempt} on purpose`)
  return did[args?.do ?? 'return'](job, context)
}

function untilReleased(jobId) {
  if (released.has(jobId) || released.has('*')) return Promise.resolve()
  return new Promise((resolve) => waiting.set(jobId, resolve))
}

/** @param {string | undefined} jobId undefined: all, those to come too */
function release(jobId) {
  released.add(jobId ?? '*')
  for (const [id, go] of waiting) if (jobId === undefined || id === jobId) go()
}

function untilAborted(signal) {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

function plain(event) {
  return 'error' in event && event.error instanceof Error
    ? { ...event, error: describeError(event.error) }
    : event
}

/** As in the README: the signal stops the work, the pool is closed, and nothing else keeps the process. */
process.once('SIGTERM', async () => {
  await tell('stopped', await stopReceiving())
  await leave()
})

const log = (level) => (message, fields) =>
  void tell('log', { level, message, fields: plain(fields ?? {}) })
const logger = { debug: () => undefined, info: log('info'), warn: log('warn'), error: log('error') }

serve({
  open,
  receive,
  stop: stopReceiving,
  release,
  enqueue: async ({ queueName, args, options }) => queues.get(queueName).enqueue(args, options),
  enqueueMany: async ({ queueName, items }) => queues.get(queueName).enqueueMany(items),
  cancel: async ({ queueName, id }) => queues.get(queueName).cancel(id),
  pause: async ({ queueName, options }) => queues.get(queueName).pause(options),
  resume: async ({ queueName }) => queues.get(queueName).resume(),
  /** The heap in bytes, after a collection: it wants `--expose-gc`. */
  memory: () => {
    globalThis.gc()
    return process.memoryUsage().heapUsed
  },
  drain: async ({ queueName, options }) => queues.get(queueName).drain(options),
  /** Ends the pool and lets go of the parent: then nothing but a leak keeps this process alive. */
  leave,
})

async function leave() {
  await db.end()
  setImmediate(letGo)
}
