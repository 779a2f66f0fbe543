/**
 * What the compiler promises to users. `npm run typecheck` reads this file; nothing runs it. A line
 * below `@ts-expect-error` that compiles is an error itself.
 */
import type { PGlite, Transaction as PGliteTransaction } from '@electric-sql/pglite'
import type { Client, Pool, PoolClient } from 'pg'
import { expectTypeOf } from 'vitest'
import type { EmbeddedDatabase } from '../../src/embedded/index.ts'
import {
  Discard,
  JobQueue,
  migrateDown,
  migrateUp,
  migrationStatus,
  pinoLogger,
  Querier,
  receiveAll,
  RetryPolicy,
  Snooze,
  UnimplementedMiddleware,
  type Database,
  type DB,
  type DBTX,
  type EnqueueHandler,
  type Job,
  type JobCounts,
  type JobRecord,
  type JobStatus,
  type Middleware,
  type MillraceError,
  type MillraceErrorCode,
  type QueueOptions,
  type WherePreview,
  type WhereResult,
  type Worker,
  type WorkContext,
} from '../../src/index.ts'

interface Email {
  readonly to: string
}

interface Sent {
  readonly messageId: number
}

declare const pool: Pool
declare const client: Client
declare const poolClient: PoolClient
declare const pglite: PGlite
declare const pgliteTransaction: PGliteTransaction
declare const embedded: EmbeddedDatabase
declare const db: DB
declare const tx: DBTX
declare const signal: AbortSignal

export const typed = new JobQueue<Email, Sent>(pool, async (job, context) => {
  expectTypeOf(job).toEqualTypeOf<Job<Email>>()
  expectTypeOf(context).toEqualTypeOf<WorkContext<Email, Sent>>()
  expectTypeOf(context.args).toEqualTypeOf<Email>()
  expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>()
  expectTypeOf(job.id).toEqualTypeOf<string>()
  expectTypeOf(job.scheduledAt).toEqualTypeOf<Date>()
  // @ts-expect-error the arguments have no such property
  void job.args.cc
  // @ts-expect-error a worker does not change its job
  job.attempt = 1
  if (job.attempt > 9) throw new Discard('enough')
  if (job.attempt > 3) throw new Snooze('5m')
  return { messageId: 1 }
})

export async function completeTakesTheResult(context: WorkContext<Email, Sent>): Promise<void> {
  await context.complete(poolClient, { messageId: 1 })
  await context.complete(client)
  await context.complete(pgliteTransaction, { messageId: 1 })
  await context.complete(tx, { messageId: 1 })
  // @ts-expect-error another result
  await context.complete(tx, 'sent')
  // @ts-expect-error a pool is no transaction
  await context.complete(pool, { messageId: 1 })
  // @ts-expect-error a whole PGlite is no transaction
  await context.complete(pglite)
  // @ts-expect-error a transaction is needed
  await context.complete()
  expectTypeOf(context.withContext(signal)).toEqualTypeOf<WorkContext<Email, Sent>>()
}

export function workersAreFunctionsOrObjects(): void {
  const worker: Worker<Email, Sent> = { work: ({ args }) => ({ messageId: args.to.length }) }
  void new JobQueue<Email, Sent>(pool, worker)
  void new JobQueue(pool, worker, { queueName: 'emails' })
  void new JobQueue<Email, Sent>(pool, () => ({ messageId: 1 }))
  void new JobQueue<Email>(pool, { queueName: 'only enqueues' })
  void new JobQueue<Email, void>(pool, async () => {})
  // Arguments and result are inferred from the worker.
  const inferred = new JobQueue(pool, async (job: Job<Email>) => job.args.to.length)
  expectTypeOf(inferred).toEqualTypeOf<JobQueue<Email, number>>()
  expectTypeOf(new JobQueue(pool)).toEqualTypeOf<JobQueue>()
  // @ts-expect-error another result
  void new JobQueue<Email, Sent>(pool, async () => 'sent')
  // @ts-expect-error other arguments
  void new JobQueue<Email, Sent>(pool, async (job: Job<number>) => ({ messageId: job.args }))
  // @ts-expect-error nothing is returned
  void new JobQueue<Email, Sent>(pool, async () => {})
  // @ts-expect-error neither a worker nor options
  void new JobQueue<Email, Sent>(pool, { run: () => ({ messageId: 1 }) })
  // @ts-expect-error the options come after the worker
  void new JobQueue<Email, Sent>(pool, { fifo: true }, () => ({ messageId: 1 }))
  // @ts-expect-error there is no default database
  void new JobQueue<Email, Sent>()
}

export async function enqueueTakesTheArguments(): Promise<void> {
  expectTypeOf(await typed.enqueue({ to: 'ada' })).toEqualTypeOf<Job<Email>>()
  await typed.enqueue(
    { to: 'ada' },
    { maxRetries: 1, retryPolicy: RetryPolicy.Linear, timeout: '5s', signal },
  )
  await typed.enqueue(
    { to: 'ada' },
    { retryPolicy: 'constant', runAt: new Date(), metadata: { n: 1 } },
  )
  // @ts-expect-error the arguments are missing
  await typed.enqueue()
  // @ts-expect-error of another type
  await typed.enqueue('ada')
  // @ts-expect-error a property is missing
  await typed.enqueue({})
  // @ts-expect-error a property too many
  await typed.enqueue({ to: 'ada', cc: 'bob' })
  // @ts-expect-error a misspelt option
  await typed.enqueue({ to: 'ada' }, { maxRetrys: 1 })
  // @ts-expect-error no such policy
  await typed.enqueue({ to: 'ada' }, { retryPolicy: 'fibonacci' })
  // @ts-expect-error a duration without its unit
  await typed.enqueue({ to: 'ada' }, { delay: '5' })
  // @ts-expect-error a text is no Date
  await typed.enqueue({ to: 'ada' }, { runAt: '2030-01-01' })
  // @ts-expect-error null is not "not given"
  await typed.enqueue({ to: 'ada' }, { priority: null })
  await typed.enqueue({ to: 'ada' }, { priority: undefined })
}

export async function enqueueManyTakesItems(): Promise<void> {
  const many = await typed.enqueueMany([{ args: { to: 'ada' }, priority: 1 }], { tx, signal })
  expectTypeOf(many).toEqualTypeOf<Job<Email>[]>()
  const readonlyItems = [{ args: { to: 'ada' } }] as const
  await typed.enqueueMany(readonlyItems)
  // @ts-expect-error bare arguments
  await typed.enqueueMany([{ to: 'ada' }])
  // @ts-expect-error other arguments
  await typed.enqueueMany([{ args: 7 }])
  // @ts-expect-error the transaction is one for all
  await typed.enqueueMany([{ args: { to: 'ada' }, tx }])
  // @ts-expect-error options of a job belong to the job
  await typed.enqueueMany([{ args: { to: 'ada' } }], { priority: 1 })
}

export async function editTakesTheArguments(): Promise<void> {
  const edited = await typed.edit('42', { args: { to: 'eve' }, priority: 0, timeout: null })
  expectTypeOf(edited).toEqualTypeOf<JobRecord<Email, Sent> | undefined>()
  await typed.edit('42', { delay: '1h', metadata: {}, maxRetries: undefined })
  // @ts-expect-error of another type
  await typed.edit('42', { args: 'eve' })
  // @ts-expect-error nothing to change
  await typed.edit('42')
  // @ts-expect-error only a timeout can be taken away
  await typed.edit('42', { priority: null })
  // @ts-expect-error the transaction belongs to a Querier
  await typed.edit('42', { args: { to: 'eve' }, tx })
  const querier = new Querier(pool)
  expectTypeOf(await querier.edit<Email>('emails', '42', { args: { to: 'eve' } })).toEqualTypeOf<
    JobRecord<Email> | undefined
  >()
  // @ts-expect-error other arguments than were said
  await querier.edit<Email>('emails', '42', { args: 7 })
  await querier.edit('emails', '42', { args: 7 })
}

export async function manyJobsAreChosenByAFilter(isDry: boolean): Promise<void> {
  const failed = { status: 'failed', errorText: 'timeout', metadata: { tenant: 7 } } as const
  expectTypeOf(await typed.retryWhere(failed)).toEqualTypeOf<WhereResult>()
  expectTypeOf(await typed.cancelWhere({ all: true }, {})).toEqualTypeOf<WhereResult>()
  const options = { limit: 5, signal, dryRun: false, onBatch: () => {} } as const
  expectTypeOf(await typed.deleteWhere(failed, options)).toEqualTypeOf<WhereResult>()
  const preview = await typed.deleteWhere(failed, { dryRun: true, limit: 5 })
  expectTypeOf(preview).toEqualTypeOf<WherePreview<Email, Sent>>()
  const either = await typed.deleteWhere(failed, { dryRun: isDry })
  expectTypeOf(either).toEqualTypeOf<WherePreview<Email, Sent> | WhereResult>()
  // @ts-expect-error no such status
  await typed.retryWhere({ status: 'dead' })
  // @ts-expect-error no filter
  await typed.retryWhere()
  // @ts-expect-error a queue knows its own name
  await typed.retryWhere({ queueName: 'emails', all: true })
  // @ts-expect-error a misspelt option
  await typed.retryWhere(failed, { dryrun: true })
  // @ts-expect-error only a redrive edits
  await typed.retryWhere(failed, { edit: () => ({ to: 'ada' }) })
  const querier = new Querier(pool)
  const found = await querier.cancelWhere({ queueName: 'emails', all: true }, { dryRun: true })
  expectTypeOf(found).toEqualTypeOf<WherePreview>()
  await querier.list('emails', { metadata: { tenant: 7 } })
}

export async function deadLettersGoBackWithTheArgumentsOfTheirQueue(): Promise<void> {
  const edit = (job: JobRecord<Email>): Email => ({ to: job.args.to.toLowerCase() })
  expectTypeOf(await typed.redriveMany(['42'], { edit })).toEqualTypeOf<string[]>()
  await typed.redriveMany(['42'], { edit: ({ args }) => ({ ...args, to: 'ada' }) })
  expectTypeOf(await typed.redriveWhere({ all: true }, { edit })).toEqualTypeOf<WhereResult>()
  const preview = await typed.redriveWhere({ all: true }, { edit, dryRun: true })
  expectTypeOf(preview).toEqualTypeOf<WherePreview<Email, Sent>>()
  const querier = new Querier(pool)
  await querier.redriveMany('dead', ['42'], { edit })
  const found = await querier.redriveWhere({ all: true }, { edit, dryRun: true })
  expectTypeOf(found).toEqualTypeOf<WherePreview<Email>>()
  // @ts-expect-error other arguments
  await typed.redriveMany(['42'], { edit: () => 7 })
  // @ts-expect-error it returns at once
  await typed.redriveMany(['42'], { edit: async () => ({ to: 'ada' }) })
  // A queue of certain arguments is still a queue.
  expectTypeOf(typed).toExtend<JobQueue>()
}

export async function transactionsAreThoseOfTheDrivers(): Promise<void> {
  for (const one of [poolClient, client, pgliteTransaction, tx]) {
    await typed.enqueue({ to: 'ada' }, { tx: one })
    await typed.enqueueMany([], { tx: one })
    expectTypeOf(new Querier(pool).withTx(one)).toEqualTypeOf<Querier>()
  }
  await embedded.transaction(async (inside) => typed.enqueue({ to: 'ada' }, { tx: inside }))
  await db.transaction(async (inside) => typed.enqueue({ to: 'ada' }, { tx: inside }))
  await pglite.transaction(async (inside) => typed.enqueue({ to: 'ada' }, { tx: inside }))
  // @ts-expect-error each statement of a pool commits alone
  await typed.enqueue({ to: 'ada' }, { tx: pool })
  // @ts-expect-error and each of a PGlite
  await typed.enqueue({ to: 'ada' }, { tx: pglite })
  // @ts-expect-error in enqueueMany too
  await typed.enqueueMany([], { tx: pool })
  // @ts-expect-error and in a Querier
  void new Querier(pool).withTx(pool)
  // @ts-expect-error a name is no transaction
  await typed.enqueue({ to: 'ada' }, { tx: 'mine' })
}

export async function databasesAreTakenWithoutCasts(): Promise<void> {
  for (const database of [pool, client, pglite, embedded, db]) {
    expectTypeOf(database).toExtend<Database>()
    void new JobQueue<Email, Sent>(database, () => ({ messageId: 1 }))
    void new Querier(database, { schema: 'jobs' })
    await migrateUp(database, { schema: 'jobs' })
    await migrateDown(database, { to: 0 })
    await migrationStatus(database)
  }
  void new JobQueue(pool)
  void new JobQueue(client)
  void new JobQueue(pglite)
  void new JobQueue(embedded)
  void new JobQueue(db)
  // @ts-expect-error a connection string is not a database
  void new JobQueue('postgres://localhost')
  // @ts-expect-error what has no transactions is not a database
  void new JobQueue(tx)
  // @ts-expect-error how far back is not left to a default
  await migrateDown(pool, {})
}

export async function looksAreTyped(): Promise<void> {
  const record = await typed.get('1')
  expectTypeOf(record).toEqualTypeOf<JobRecord<Email, Sent> | undefined>()
  // @ts-expect-error there may be none
  void record.args
  if (record === undefined) return
  expectTypeOf(record.args).toEqualTypeOf<Email>()
  expectTypeOf(record.result).toEqualTypeOf<Sent | undefined>()
  expectTypeOf(record.status).toEqualTypeOf<JobStatus>()
  expectTypeOf(record.startedAt).toEqualTypeOf<Date | null>()
  expectTypeOf(record.priority).toEqualTypeOf<number>()
  expectTypeOf(record.timeoutMs).toEqualTypeOf<number | null>()
  expectTypeOf(record.errors[0]?.startedAt).toEqualTypeOf<Date | null | undefined>()
  expectTypeOf(record.errors[0]?.message).toEqualTypeOf<string | undefined>()
  // @ts-expect-error no such status
  void (record.status === 'dead')
  expectTypeOf(await typed.counts({ estimate: true })).toEqualTypeOf<JobCounts>()
  expectTypeOf((await typed.counts()).failed).toEqualTypeOf<number>()
  expectTypeOf(await typed.redrive({ limit: 1 })).toEqualTypeOf<number>()
  expectTypeOf(await typed.cancel('1')).toEqualTypeOf<boolean>()
  // @ts-expect-error ids are strings
  await typed.get(1)
  // @ts-expect-error also large ones
  await typed.cancel(1n)
  const querier = new Querier(pool)
  expectTypeOf(await querier.get<Email, Sent>('emails', '1')).toEqualTypeOf<
    JobRecord<Email, Sent> | undefined
  >()
  expectTypeOf(await querier.list<Email>('emails')).toEqualTypeOf<JobRecord<Email>[]>()
  expectTypeOf(await querier.insert('emails', [{ args: { to: 'ada' } }])).toEqualTypeOf<
    Job<{ to: string }>[]
  >()
  // @ts-expect-error no such status
  await querier.list('emails', { status: 'dead' })
}

export async function receivingIsTyped(): Promise<void> {
  await typed.receive({ signal, concurrency: 5, leaseTimeout: '1m' })
  await receiveAll([typed, new JobQueue<number, void>(pool, () => {})], { signal })
  const { finished, failed, retried } = await typed.drain({ limit: 5, timeout: '9s' })
  expectTypeOf(finished + failed + retried).toEqualTypeOf<number>()
  // @ts-expect-error without a signal it would never end
  await typed.receive({})
  // @ts-expect-error nor so
  await typed.receive()
  // @ts-expect-error the signal itself is not the options
  await typed.receive(signal)
  // @ts-expect-error one queue is not many
  await receiveAll(typed, { signal })
}

export function optionsAreChecked(): QueueOptions[] {
  class Counting extends UnimplementedMiddleware {
    override enqueue(next: EnqueueHandler): EnqueueHandler {
      return (context) => next(context.withContext(signal))
    }
  }
  const traced: Middleware = { process: (next) => async (context) => next(context) }
  return [
    { middlewares: [new Counting(), traced], logger: console, keepFinished: false },
    { logger: pinoLogger(console), fifo: true, dlq: '', retryJitter: 0.5 },
    // @ts-expect-error a wrong type
    { fifo: 'yes' },
    // @ts-expect-error only finished jobs may go at once
    { keepFailed: false },
    // @ts-expect-error a unit that does not exist
    { pollInterval: '1 week' },
    // @ts-expect-error a logger needs four methods
    { logger: { info: () => {} } },
  ]
}

export function errorsAreTold(error: MillraceError): string {
  expectTypeOf(error.code).toEqualTypeOf<MillraceErrorCode>()
  // @ts-expect-error no such code
  if (error.code === 'OOPS') return 'never'
  return typed.queueName
}
