import { migrateUp } from '../../src/migrations/migrate.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { JobQueue } from '../../src/job-queue.ts'
import { findQueue } from '../../src/store/queues.ts'
import { Store } from '../../src/store/store.ts'
import { ClockedDatabase } from './clocked-database.ts'
import type { Stage } from './scene.ts'
import { START_MS } from './queue-model.ts'
import { QUEUE_NAMES, RULES, type QueueName } from './queue-rules.ts'
import { StoredRows } from './rows.ts'
import type { StoredQueue } from './simulated-process.ts'

/** Migrates a schema and opens the model's queues in it. */
export async function openStage(
  databaseUrl: string,
  schema: string,
): Promise<Stage & { close(): Promise<void> }> {
  const database = new ClockedDatabase(databaseUrl, () => START_MS)
  await migrateUp(database, { schema })
  const store = new Store(driverFor(database), schema)
  const open = new Map(QUEUE_NAMES.map((name) => [name, openQueue(database, schema, name)]))
  // Makes the rows; a dead-letter queue after its origin, so that its mode is decided late.
  for (const queue of open.values()) await queue.enqueue(null)
  const queues = new Map<QueueName, StoredQueue>()
  for (const name of QUEUE_NAMES) {
    const row = await findQueue(store, name)
    if (row === undefined) throw new Error(`The queue ${name} was not made.`)
    const { id, dlqId, keepFinishedMs, keepFailedMs } = row
    queues.set(name, { name, id, dlqId, keepFinishedMs, keepFailedMs: keepFailedMs ?? 0 })
  }
  const rows = new StoredRows(databaseUrl, schema)
  await rows.open()
  await rows.addDays([1, 30])
  const close = async (): Promise<void> => {
    await rows.drop()
    await rows.close()
    await database.close()
  }
  return { database, store, rows, queues, open, close }
}

function openQueue(database: ClockedDatabase, schema: string, name: QueueName): JobQueue {
  const { isFifo, dlq, keepsFinished, baseRetryDelayMs, maxRetryDelayMs } = RULES[name]
  return new JobQueue(database, () => null, {
    ...{ queueName: name, schema, fifo: isFifo, dlq: dlq ?? undefined },
    ...{ baseRetryDelay: baseRetryDelayMs, maxRetryDelay: maxRetryDelayMs },
    ...{ keepFinished: keepsFinished ? '24h' : false, keepFailed: '30d' },
  })
}
