/*
 * Webhooks with back-off: an event goes to every subscriber as a job of its own, signed, stored in
 * the transaction that caused it, retried with jitter, put off when a receiver asks for it, and
 * given up when a receiver says that it is gone.
 *
 *   DATABASE_URL=postgres://localhost/test node examples/webhooks-with-back-off.ts
 *
 * The receivers are a stub at the end of this file, so that nothing leaves your machine.
 */
import { createHmac } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { Discard, JobQueue, migrateUp, Snooze } from 'millrace'

interface Delivery {
  subscriberId: number
  event: { type: string; orderId: number }
}

interface Subscriber {
  id: number
  url: string
  secret: string
}

const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
await migrateUp(db)
const seen: string[] = []
const server = await startReceivers()
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
await db.query(`
  create table if not exists subscribers (id int primary key, url text, secret text);
  create table if not exists orders (id int primary key, paid_at timestamptz);
  truncate subscribers, orders;
  insert into subscribers values
    (1, '${base}/good', 's1'), (2, '${base}/flaky', 's2'), (3, '${base}/limited', 's3'), (4, '${base}/gone', 's4')`)

const quiet = { debug() {}, info() {}, warn() {}, error() {} } // the lines at the end say it all
const deliveries = new JobQueue<Delivery, number>(
  db,
  async (job, { signal }) => {
    // Looked up at each run: a subscriber may have changed its address since the job was stored.
    const sql = 'select id, url, secret from subscribers where id = $1'
    const [subscriber] = (await db.query<Subscriber>(sql, [job.args.subscriberId])).rows
    if (subscriber === undefined) throw new Discard('The subscriber left.')
    const body = JSON.stringify(job.args.event)
    const signature = createHmac('sha256', subscriber.secret).update(body).digest('hex')
    const response = await fetch(subscriber.url, {
      method: 'POST',
      headers: { 'x-delivery': job.id, 'x-signature': `sha256=${signature}` },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]), // a slow receiver is a failed run
    })
    const retryAfter = Number(response.headers.get('retry-after') ?? 0)
    if (response.status === 410) throw new Discard('The receiver is gone for good.')
    if (response.status === 429) throw new Snooze(`${retryAfter}s`) // no attempt is used up
    if (!response.ok) throw new Error(`HTTP ${response.status}`)
    return response.status
  },
  {
    queueName: 'webhooks',
    baseRetryDelay: '50ms', // in earnest '10s' or so
    maxRetryDelay: '6h',
    retryJitter: 0.2, // so that a receiver that was down is not met by everybody at once
    logger: quiet,
  },
)

// The order is paid, and everybody will be told, or neither.
const tx = await db.connect()
await tx.query('begin')
await tx.query('insert into orders values (42, now())')
const { rows } = await tx.query<{ id: number }>('select id from subscribers order by id')
const event = { type: 'order.paid', orderId: 42 }
const jobs = await deliveries.enqueueMany(
  rows.map(({ id }) => ({ args: { subscriberId: id, event }, maxRetries: 12 })),
  { tx },
)
await tx.query('commit')
tx.release()

// A worker process would receive until SIGTERM; this one until each delivery has met its end.
const stop = new AbortController()
let ended = 0
deliveries.observe(({ type }) => {
  if (type === 'job.finished' || type === 'job.failed') ended += 1
  if (ended === jobs.length) stop.abort()
})
await deliveries.receive({ signal: stop.signal })

for (const { id } of jobs) {
  const job = await deliveries.get(id)
  const path = ['', 'good', 'flaky', 'limited', 'gone'][job?.args.subscriberId ?? 0] ?? ''
  const calls = seen.filter((call) => call === `/${path}`).length
  console.log(`${path}: ${job?.status} at attempt ${job?.attempt}, calls: ${calls}`)
}
server.close()
await db.end()

async function startReceivers(): Promise<Server> {
  const stub = createServer((request, response) => {
    const url = request.url ?? ''
    seen.push(url)
    const isFirst = seen.indexOf(url) === seen.length - 1
    const first: Record<string, number> = { '/flaky': 503, '/limited': 429, '/gone': 410 }
    const headers = { 'retry-after': '1', connection: 'close' }
    request.resume()
    response.writeHead(isFirst ? (first[url] ?? 200) : 200, headers).end()
  })
  await new Promise<void>((resolve) => stub.listen(0, '127.0.0.1', resolve))
  return stub
}
