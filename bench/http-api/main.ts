import os from 'node:os'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { createDashboard } from '../../dist/dashboard/index.js'
import { BenchPostgres } from '../harness/postgres-database.ts'
import { fill, type Size } from './fill.ts'
import { addresses, type Ask } from './addresses.ts'

/*
 * How long the JSON API and the pages take with 5 million jobs in 200 queues:
 *
 *   npm run build && npm run bench:install && node bench/http-api.mjs [--jobs 5000000] [--queues 200] [--rounds 200]
 *
 * It starts a PostgreSQL of its own (or takes the database in DATABASE_URL), fills a schema (some minutes), asks each
 * address again and again, and drops the schema. What it prints is the time from request to answer in this process, over
 * a local connection: the server's time and a little more; and the time of processors that an answer costs Node and PostgreSQL
 * together, which others on the machine do not lengthen. It exits with 1 when an address is above the limit at p95.
 */

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '5000000' },
    queues: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '200' },
    /** Only addresses whose name contains this. */
    only: { type: 'string', default: '' },
  },
})

const LIMIT_MS = 150
/** Nobody waits for 200 answers of what is slow. */
const ADDRESS_MS = 15_000
const WARM_UPS = 3

process.exitCode = await main()

async function main(): Promise<number> {
  const url = process.env['DATABASE_URL']
  if (url !== undefined) return measure(url, async () => Number.NaN)
  const server = await BenchPostgres.start()
  try {
    const database = await server.createDatabase()
    return await measure(database.url, async () => {
      const { cpuSeconds = Number.NaN } = await server.usage(database)
      return cpuSeconds * 1_000
    })
  } finally {
    await server.remove()
  }
}

/** `serverCpuMs` is what the server has used so far. */
async function measure(url: string, serverCpuMs: () => Promise<number>): Promise<number> {
  const size = { jobs: Number(values.jobs), queues: Number(values.queues) }
  const schema = `http_api_${Date.now()}`
  const db = new pg.Pool({ connectionString: url, max: 4 })
  const dashboard = createDashboard(db, { auth: () => 'admin', schema })
  try {
    const began = performance.now()
    await fill(db, schema, size)
    await describe(db, size, performance.now() - began)
    const figures = []
    for (const [name, ask] of Object.entries(addresses(size))) {
      if (!name.includes(values.only)) continue
      const server = await serverCpuMs()
      const node = process.cpuUsage()
      const { answers, ...times } = await timesOf(ask, dashboard)
      const { user, system } = process.cpuUsage(node)
      const cpu = ((await serverCpuMs()) - server + (user + system) / 1_000) / answers
      figures.push({ name, ...times, 'CPU ms': Number(cpu.toFixed(1)) })
    }
    console.table(figures)
    console.log(`load ${loads()}`)
    return figures.every((figure) => figure['p95 ms'] < LIMIT_MS) ? 0 : 1
  } finally {
    await db.query(`drop schema if exists ${schema} cascade`)
    await db.end()
  }
}

/** Asks one address, over and over. */
async function timesOf(
  ask: Ask,
  dashboard: { fetch(request: Request): Promise<Response> | Response },
): Promise<Record<'p50 ms' | 'p95 ms' | 'max ms' | 'kB' | 'answers', number>> {
  const times: number[] = []
  let bytes = 0
  const until = performance.now() + ADDRESS_MS
  const rounds = Number(values.rounds) + WARM_UPS
  for (let round = 0; round < rounds && performance.now() < until; round += 1) {
    const request = ask()
    if (request.headers.has('accept')) await forgetReadings(dashboard)
    const start = performance.now()
    const response = await dashboard.fetch(request)
    const text = await response.text()
    if (round >= WARM_UPS) times.push(performance.now() - start)
    if (!response.ok) throw new Error(`${request.url}: ${response.status} ${text}`)
    bytes = Math.max(bytes, text.length)
  }
  times.sort((left, right) => left - right)
  const at = (share: number): number =>
    Number((times[Math.ceil(share * times.length) - 1] ?? Number.NaN).toFixed(1))
  const figures = { 'p50 ms': at(0.5), 'p95 ms': at(0.95), 'max ms': at(1) }
  return { ...figures, kB: Math.ceil(bytes / 1_000), answers: times.length + WARM_UPS }
}

/** What pages have read is remembered for a moment, until something is changed: each page is made from nothing here. */
async function forgetReadings(dashboard: {
  fetch(request: Request): Promise<Response> | Response
}): Promise<void> {
  const change = new Request('http://localhost/api/queues/queue%20001/resume', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  await (await dashboard.fetch(change)).text()
}

async function describe(db: pg.Pool, { jobs, queues }: Size, ms: number): Promise<void> {
  const { rows } = await db.query<{ server_version: string }>('show server_version')
  const [cpu] = os.cpus()
  console.log(
    `${jobs} jobs in ${queues} queues, filled in ${Math.round(ms / 1_000)} s. ${new Date().toISOString()}, ` +
      `${cpu?.model} × ${os.availableParallelism()}, Node ${process.versions.node}, PostgreSQL ${rows[0]?.server_version}, ` +
      `load ${loads()}`,
  )
}

function loads(): string {
  return os
    .loadavg()
    .map((value) => value.toFixed(1))
    .join(' ')
}
