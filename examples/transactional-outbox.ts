/*
 * Transactional outbox: an order and the message about it are one transaction, so the broker never
 * hears of an order that was rolled back, and never misses one that was committed. The outbox is the
 * queue itself; there is no table to poll and no second process to run.
 *
 *   DATABASE_URL=postgres://localhost/test node examples/transactional-outbox.ts
 *
 * The queue is FIFO, so messages go out in the order in which they were enqueued, and none overtakes
 * one that is being retried. The broker is a stub at the end of this file.
 */
import pg from 'pg'
import { JobQueue, migrateUp } from 'millrace'

interface Message {
  topic: string
  payload: { orderId: number; item: string }
}

const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
await migrateUp(db)
await db.query(
  'create table if not exists orders (id int generated always as identity primary key, item text)',
)

const broker = makeBroker()
const quiet = { debug() {}, info() {}, warn() {}, error() {} } // the lines at the end say it all
const outbox = new JobQueue<Message>(
  db,
  async (job) => {
    // At least once: the id lets the broker, or who reads from it, drop what it has already.
    await broker.publish(job.args.topic, { ...job.args.payload, messageId: job.id })
  },
  {
    queueName: 'outbox',
    fifo: true,
    baseRetryDelay: '50ms', // in earnest '1s' or so
    logger: quiet,
  },
)

await placeOrder('a mill')
await placeOrder('a stone', { thenFail: true }).catch((error: unknown) =>
  console.log(String(error)),
)
await placeOrder('a wheel')

// A worker process would receive until SIGTERM; this one until the outbox is empty.
const stop = new AbortController()
let left = (await outbox.counts()).available
outbox.observe((event) => {
  if (event.type === 'job.finished' && (left -= 1) === 0) stop.abort()
})
await outbox.receive({ signal: stop.signal })

const { rows } = await db.query<{ item: string }>('select item from orders order by id')
console.log(`Orders: ${rows.map(({ item }) => item).join(', ')}`)
for (const message of broker.messages) console.log(`Published: ${message}`)
await db.end()

/** What a web server does: it opens the queue without a worker, and never waits for the broker. */
async function placeOrder(item: string, { thenFail = false } = {}): Promise<void> {
  const tx = await db.connect()
  try {
    await tx.query('begin')
    const sql = 'insert into orders (item) values ($1) returning id'
    const [order] = (await tx.query<{ id: number }>(sql, [item])).rows
    const payload = { orderId: order?.id ?? 0, item }
    await outbox.enqueue({ topic: 'order.placed', payload }, { tx, maxRetries: 50 })
    if (thenFail) throw new Error(`There is not ${item} left.`)
    await tx.query('commit')
  } catch (error) {
    await tx.query('rollback')
    throw error
  } finally {
    tx.release()
  }
}

/** Is away at the first call, and loses the answer of the second, after it has stored the message. */
function makeBroker() {
  const known = new Set<string>()
  const messages: string[] = []
  let calls = 0
  const publish = async (
    topic: string,
    message: Message['payload'] & { messageId: string },
  ): Promise<void> => {
    calls += 1
    await Promise.resolve() // the network
    if (calls === 1) throw new Error('The broker is away.')
    if (!known.has(message.messageId)) messages.push(`${topic} ${message.item}`)
    known.add(message.messageId)
    if (calls === 2) throw new Error('The answer was lost.')
  }
  return { messages, publish }
}
