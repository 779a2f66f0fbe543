/*
 * A saga with dead letters: a trip is booked step by step, flight, hotel, car. Each step is a job
 * that records what it did, enqueues the next step and ends, in one transaction. A step that fails
 * for good goes to the dead-letter queue, and that has a worker too: it takes back what was done, in
 * reverse order.
 *
 *   DATABASE_URL=postgres://localhost/test node examples/saga-with-dead-letters.ts
 *
 * The providers are stubs at the end of this file. In earnest they get `${tripId}-${step}` as their
 * idempotency key, for booking and for cancelling: a step may run again after a crash.
 */
import pg from 'pg'
import { Discard, JobQueue, migrateUp, receiveAll } from 'millrace'

const STEPS = ['flight', 'hotel', 'car'] as const
type Step = (typeof STEPS)[number]

interface TripStep {
  tripId: number
  step: Step
}

/** What the providers were asked for, by trip. */
const calls: Record<number, string[]> = {}

const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
await migrateUp(db)
await db.query(`
  create table if not exists trips (id int primary key, state text not null default 'booking');
  create table if not exists trip_steps (
    number int generated always as identity, trip_id int, step text, reference text, cancelled boolean default false,
    primary key (trip_id, step));
  truncate trips, trip_steps`)

const quiet = { debug() {}, info() {}, warn() {}, error() {} } // the lines at the end say it all
const options = { dlq: 'trips-failed', baseRetryDelay: '20ms', logger: quiet } as const

const trips = new JobQueue<TripStep>(
  db,
  async ({ args: { tripId, step } }, { complete }) => {
    const reference = await bookAt(step, tripId) // outside the transaction: it may take a while
    await transaction(async (tx) => {
      const sql = 'insert into trip_steps (trip_id, step, reference) values ($1, $2, $3)'
      await tx.query(sql, [tripId, step, reference])
      const next = STEPS[STEPS.indexOf(step) + 1]
      if (next !== undefined) await trips.enqueue({ tripId, step: next }, { tx, maxRetries: 2 })
      else await tx.query(`update trips set state = 'booked' where id = $1`, [tripId])
      await complete(tx)
    })
  },
  { ...options, queueName: 'trips' },
)

/** Gets each step that failed for good, with its id, arguments and errors. */
const compensation = new JobQueue<TripStep>(
  db,
  async ({ args: { tripId } }, { complete }) => {
    const sql =
      'select step, reference from trip_steps where trip_id = $1 and not cancelled order by number desc'
    const done = await db.query<{ step: Step; reference: string }>(sql, [tripId])
    for (const { step, reference } of done.rows) {
      await cancelAt(step, reference)
      const cancelled = 'update trip_steps set cancelled = true where trip_id = $1 and step = $2'
      await db.query(cancelled, [tripId, step]) // a retry goes on with the rest
    }
    await transaction(async (tx) => {
      await tx.query(`update trips set state = 'cancelled' where id = $1`, [tripId])
      await complete(tx)
    })
  },
  { ...options, queueName: 'trips-failed', dlq: 'trips-stuck' }, // what even this can't do is for a person
)

for (const tripId of [1, 2]) {
  await transaction(async (tx) => {
    await tx.query('insert into trips (id) values ($1)', [tripId])
    await trips.enqueue({ tripId, step: 'flight' }, { tx, maxRetries: 2 })
  })
}

// A worker process would receive until SIGTERM; this one until no trip is being booked any more.
const stop = new AbortController()
const look = async (): Promise<void> => {
  const { rowCount } = await db.query(`select from trips where state = 'booking'`)
  if (rowCount === 0) stop.abort()
}
const timer = setInterval(() => void look(), 50)
await receiveAll([trips, compensation], { signal: stop.signal, concurrency: 1 })
clearInterval(timer)

const { rows } = await db.query<{ id: number; state: string }>('select * from trips order by id')
for (const { id, state } of rows) console.log(`Trip ${id} is ${state}: ${calls[id]?.join(', ')}`)
await db.end()

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

/** There is no car for trip 2, and the hotel does not answer at the first call. */
async function bookAt(step: Step, tripId: number): Promise<string> {
  const log = (calls[tripId] ??= [])
  await Promise.resolve() // the network
  if (tripId === 2 && step === 'car') throw new Discard('No car is left.')
  if (tripId === 2 && step === 'hotel' && !log.includes('hotel is away')) {
    log.push('hotel is away')
    throw new Error('The hotel does not answer.')
  }
  log.push(`${step} booked`)
  return `${tripId}-${step}`
}

async function cancelAt(step: Step, reference: string): Promise<void> {
  await Promise.resolve() // the network
  calls[Number(reference.split('-')[0])]?.push(`${step} cancelled`)
}
