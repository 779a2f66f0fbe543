/*
 * FIFO per account: the events of one account are handled one after the other, in their order, while
 * other accounts go on beside it. Millrace has order for each queue, not for each key: so accounts
 * are spread over a few FIFO queues, the shards, always the same account on the same shard.
 *
 *   DATABASE_URL=postgres://localhost/test node examples/fifo-per-account.ts
 *
 * What that costs, and you should know before you copy it:
 * - Accounts on one shard wait for each other. A job that is retried holds its whole shard until it
 *   succeeds or has failed for good; keep maxRetries and the delays low, and use a dead-letter queue.
 * - As many jobs run at once as there are shards, over all processes together.
 * - Change the number of shards only when they are empty: another number sends accounts elsewhere,
 *   beside what still waits for them on the old shard.
 */
import { createHash } from 'node:crypto'
import pg from 'pg'
import { JobQueue, migrateUp, receiveAll } from 'millrace'

interface Booking {
  account: string
  cents: number
}

const SHARDS = 4
const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
await migrateUp(db)
await db.query(`
  create table if not exists bookings (
    number int generated always as identity, account text, cents int)`)

const quiet = { debug() {}, info() {}, warn() {}, error() {} } // the lines at the end say it all
let hasFailed = false
const shards = Array.from(
  { length: SHARDS },
  (_, shard) =>
    new JobQueue<Booking>(
      db,
      async ({ args: { account, cents } }, { complete }) => {
        const tx = await db.connect()
        try {
          await tx.query('begin')
          await book(tx, account, cents)
          await complete(tx) // a booking happens exactly once
          await tx.query('commit')
        } catch (error) {
          await tx.query('rollback')
          throw error
        } finally {
          tx.release()
        }
      },
      {
        queueName: `bookings-${shard}`,
        fifo: true,
        dlq: 'bookings-dead',
        baseRetryDelay: '50ms',
        logger: quiet,
      },
    ),
)

const accounts = ['acme', 'bolt', 'crux']
for (const cents of [100, -40, 25]) {
  for (const account of accounts) await shardOf(account).enqueue({ account, cents })
}

// A worker process would receive until SIGTERM; this one until everything is booked.
const stop = new AbortController()
let left = 3 * accounts.length
for (const shard of shards) {
  shard.observe((event) => {
    if (event.type === 'job.finished' && (left -= 1) === 0) stop.abort()
  })
}
await receiveAll(shards, { signal: stop.signal }) // of a FIFO queue one job runs at a time anyway

const { rows } = await db.query<{ account: string; cents: string; balance: number }>(`
  select account, string_agg(cents::text, ', ' order by number) as cents, sum(cents)::int as balance
  from bookings group by account order by account`)
for (const { account, cents, balance } of rows) console.log(`${account}: ${cents} = ${balance}`)
await db.end()

/** The same account is always on the same shard. */
function shardOf(account: string): JobQueue<Booking> {
  const hash = createHash('sha256').update(account).digest().readUInt32BE(0)
  return shards[hash % SHARDS] as JobQueue<Booking>
}

/** Fails once, at acme's second booking, to show that the third one waits for it. */
async function book(tx: pg.PoolClient, account: string, cents: number): Promise<void> {
  if (account === 'acme' && cents === -40 && !hasFailed) {
    hasFailed = true
    throw new Error('The ledger is busy.')
  }
  await tx.query('insert into bookings (account, cents) values ($1, $2)', [account, cents])
}
