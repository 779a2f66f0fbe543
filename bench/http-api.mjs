// How long the JSON API takes with 5 million jobs in 200 queues:
//
//   npm run build && DATABASE_URL=postgres://localhost/scratch node bench/http-api.mjs [--jobs 5000000] [--queues 200]
//
// It fills a schema of its own (half of the jobs wait, half are in 30 days of history; some minutes), asks for each
// address again and again, and drops the schema. What it prints is the time from request to answer in this process,
// over a local connection: the server's time and a little more.
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { migrateUp } from '../dist/index.js'
import { createDashboard } from '../dist/dashboard/index.js'

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '5000000' },
    queues: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '200' },
  },
})
const [jobs, queues, rounds] = [values.jobs, values.queues, values.rounds].map(Number)
const DAYS = 30
const schema = `http_api_${Date.now()}`
const db = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 })
const dashboard = createDashboard(db, { auth: () => 'admin', schema })

try {
  await fill()
  const figures = []
  for (const [name, request] of Object.entries(requests())) {
    const times = []
    for (let round = 0; round < rounds; round++) {
      const sent = request()
      const start = performance.now()
      const response = await dashboard.fetch(sent)
      await response.text()
      times.push(performance.now() - start)
      if (!response.ok) throw new Error(`${name}: ${response.status}`)
    }
    times.sort((left, right) => left - right)
    const at = (share) => Number(times[Math.floor(share * (times.length - 1))]?.toFixed(1))
    figures.push({ name, 'p50 ms': at(0.5), 'p95 ms': at(0.95), 'max ms': at(1) })
  }
  console.table(figures)
} finally {
  await db.query(`drop schema if exists ${schema} cascade`)
  await db.end()
}

function requests() {
  const queue = () => `queue%20${String(Math.ceil(Math.random() * queues)).padStart(3, '0')}`
  const id = () => Math.ceil(Math.random() * jobs)
  const get = (path) => () => new Request(`http://localhost${path()}`)
  const post = (path, body) => () =>
    new Request(`http://localhost${path()}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  return {
    'the queues, 50': get(() => '/api/queues'),
    'the queues, 100': get(() => '/api/queues?limit=100'),
    'a queue': get(() => `/api/queues/${queue()}`),
    'its jobs': get(() => `/api/queues/${queue()}/jobs`),
    'its failed jobs': get(() => `/api/queues/${queue()}/jobs?status=failed&limit=100`),
    'jobs that no page has': get(() => `/api/queues/${queue()}/jobs?errorText=nothing`),
    'a job': get(() => `/api/jobs/${id()}`),
    'the workers': get(() => '/api/workers'),
    'the audit': get(() => '/api/audit'),
    'a dry run': post(() => `/api/queues/${queue()}/cancel`, { all: true, dryRun: true }),
    'enqueue one': post(() => `/api/queues/${queue()}/jobs`, { jobs: [{ args: { to: 'ada' } }] }),
  }
}

async function fill() {
  await migrateUp(db, { schema })
  await db.query(`insert into ${schema}.queues (name, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
    select 'queue ' || to_char(n, 'fm000'), 2000, 3600000, 0 from generate_series(1, ${queues}) as n`)
  for (let day = 0; day <= DAYS; day++) {
    await db.query(`select ${schema}.add_history_partition(current_date + ${day})`)
  }
  const args = `jsonb_build_object('to', 'user' || n || '@example.org', 'text', repeat('x', 100))`
  const half = Math.ceil(jobs / 2)
  for (let from = 0; from < half; from += 100_000) {
    const to = Math.min(half, from + 100_000)
    const rows = `from generate_series(${from + 1}, ${to}) as n`
    await db.query(`insert into ${schema}.jobs
        (run_at, created_at, queue_id, priority, max_retries, retry_policy, args, metadata)
      select now() - n * interval '1 millisecond', now(), n % ${queues} + 1, n % 10, 3, 'exponential', ${args}, '{}'
      ${rows}`)
    await db.query(`insert into ${schema}.history (id, expires_at, finished_at, run_at, created_at, queue_id,
        priority, max_retries, retry_policy, outcome, attempt, error_count, args, metadata)
      select nextval('${schema}.job_ids'), now() + n % ${DAYS} * interval '1 day', now(), now(), now(),
        n % ${queues} + 1, 5, 3, 'exponential',
        (case when n % 50 < 2 then 'failed' else 'finished' end)::${schema}.outcome, 1, 0, ${args}, '{}'
      ${rows}`)
  }
  await db.query(`vacuum analyze ${schema}.jobs`)
  await db.query(`vacuum analyze ${schema}.history`)
}
