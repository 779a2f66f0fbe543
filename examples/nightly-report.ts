/*
 * A nightly report without a scheduler: each night's job writes its report, enqueues the next
 * night's job and ends, all in one transaction. So there is always exactly one job waiting, and a
 * night that nobody was there to work is made up for, in order.
 *
 *   DATABASE_URL=postgres://localhost/test node examples/nightly-report.ts [first day, as 2026-01-31]
 *
 * The chain is as strong as its job: give it many retries and a dead-letter queue, and watch that
 * queue. A redrive goes on where the chain broke. The other way is a cron job outside that enqueues
 * and drains: then the table of reports is what makes a second call harmless.
 */
import pg from 'pg'
import { JobQueue, migrateUp } from 'millrace'

interface Night {
  /** The day that is reported on, in UTC. */
  day: string
}

const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
await migrateUp(db)
await db.query(`
  create table if not exists chains (name text primary key);
  create table if not exists reports (day date primary key, orders int, written_at timestamptz)`)

const reports = new JobQueue<Night>(
  db,
  (job, { complete }) =>
    transaction(async (tx) => {
      const { day } = job.args
      // The report of a day that was written already stays as it is.
      await tx.query(
        'insert into reports values ($1, (extract(day from $1::date) * 100)::int, now()) on conflict do nothing',
        [day],
      )
      await enqueueNight(nextDay(day), tx)
      await complete(tx) // the report, the next night and the end of this job: all or nothing
    }),
  { queueName: 'nightly-report', dlq: 'nightly-report-dead', keepFinished: '30d' },
)

await startOnce(process.argv[2] ?? new Date().toISOString().slice(0, 10))
await reports.drain() // what is due by now; a worker process would receive
const { rows } = await db.query(
  'select to_char(day, $1) as day, orders from reports order by reports.day',
  ['YYYY-MM-DD'],
)
for (const { day, orders } of rows) console.log(`${day}: ${orders} orders`)
console.log(`Waiting: ${(await reports.counts()).available} job`)
await db.end()

/** A day's report is made in the following night, at 02:00 UTC: an hour that no clock change skips. */
async function enqueueNight(day: string, tx: pg.PoolClient): Promise<void> {
  const runAt = new Date(`${nextDay(day)}T02:00:00Z`)
  await reports.enqueue({ day }, { tx, runAt, maxRetries: 20 }) // ten hours of retries
}

/** Begins the chain, also when every process that starts calls this: the row can be made only once. */
async function startOnce(firstDay: string): Promise<void> {
  await transaction(async (tx) => {
    const sql = `insert into chains values ('nightly-report') on conflict do nothing`
    const { rowCount } = await tx.query(sql)
    if (rowCount === 1) await enqueueNight(firstDay, tx)
  })
}

function nextDay(day: string): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() + 1)
  return date.toISOString().slice(0, 10)
}

async function transaction(work: (tx: pg.PoolClient) => Promise<void>): Promise<void> {
  const tx = await db.connect()
  try {
    await tx.query('begin')
    await work(tx)
    await tx.query('commit')
  } catch (error) {
    await tx.query('rollback')
    throw error
  } finally {
    tx.release()
  }
}
