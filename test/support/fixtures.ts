import { randomBytes } from 'node:crypto'
import { Client, Pool } from 'pg'
import postgres, { type Sql } from 'postgres'
import { describe, inject, test as base, type TestAPI } from 'vitest'
import { quoteIdentifier } from '../../src/core/identifiers.ts'
import type { Worker, WorkFunction } from '../../src/core/job.ts'
import type { LogFields, LogLevel } from '../../src/core/logger.ts'
import type { QueueOptions } from '../../src/core/queue-options.ts'
import type { ReceiveOptions } from '../../src/core/receive-options.ts'
import type { Database } from '../../src/drivers/database.ts'
import type { EmbeddedDatabase } from '../../src/embedded/index.ts'
import type { JobQueue } from '../../src/job-queue.ts'
import { Child, type ChildOptions } from './child-process.ts'
import { EventLog } from './event-log.ts'
import { startPostgres, type PostgresServer } from './postgres.ts'
import { until, type UntilOptions } from './until.ts'
import { WorkerProcess, type WorkerOptions } from './workers.ts'

export { expect } from 'vitest'
export type { JobScript } from './workers.ts'
export { until } from './until.ts'

/** A row as the driver gives it. */
export type Row = Record<string, unknown>

/** A line of a queue's log. */
export interface LogLine {
  level: LogLevel
  message: string
  fields: LogFields | undefined
}

/** Opens a queue in the schema of the test; its events and log lines are recorded. */
export interface OpenQueue {
  <Args, Result>(
    worker: Worker<Args, Result> | WorkFunction<Args, Result>,
    options?: QueueOptions,
  ): JobQueue<Args, Result>
  <Args = unknown, Result = unknown>(options?: QueueOptions): JobQueue<Args, Result>
}

/** A queue that is being received. */
export interface Receiving {
  /** Stops gracefully and waits for `receive` to resolve. */
  stop(): Promise<void>
  /** What `receive` resolves or rejects with. */
  readonly ended: Promise<void>
}

/** Real processes, ended with the test. */
export interface Children {
  /** Starts a process that receives the queue `default`; resolves when it does. Jobs say what it does: `JobScript`. */
  receive(options?: WorkerOptions): Promise<WorkerProcess>
  /** Runs a script of `children/`, or of any path. */
  run(script: string, options?: Omit<ChildOptions, 'events'>): Child
}

/** A table in which every run of the children leaves a row, also when the process dies in it. */
export interface RunLog {
  /** For `child.receive({ runLog: runLog.table })`. */
  readonly table: string
  /** In the order in which the runs began. */
  read(): Promise<{ jobId: string; attempt: number; pid: number; queueName: string }[]>
}

/** What every test can ask for, by naming it. */
export interface Fixtures<Db extends TestDatabase = TestDatabase> {
  /** The server that the test works on. */
  databaseUrl: string
  /** A database of its own connections, closed after the test. */
  db: Db
  /** A migrated schema of its own; dropped after the test, kept when the test failed. */
  schema: string
  /** The statement's rows; `{schema}` in it is the quoted schema. */
  rows: (sql: string, values?: unknown[]) => Promise<Row[]>
  /** Waits until the statement answers a row (that `fits`), and returns it. */
  untilRow: (
    sql: string,
    values?: unknown[],
    options?: UntilOptions & { fits?: (row: Row) => boolean },
  ) => Promise<Row>
  events: EventLog
  /** Waits for an event of this process or of a child; one that happened already counts. */
  seen: EventLog['seen']
  /** What the queues of this process logged. */
  log: LogLine[]
  openQueue: OpenQueue
  /** The queue `default` of the schema, without a worker. */
  queue: JobQueue
  /** Receives in this process until the test ends. */
  receive: <Args, Result>(
    queue: JobQueue<Args, Result>,
    options?: Partial<ReceiveOptions>,
  ) => Receiving
}

/** Only where there is a server: other processes can reach it. */
export interface ServerFixtures extends Fixtures<Pool> {
  child: Children
  runLog: RunLog
}

/** What tests run on. */
export type TestDatabase = Pool | EmbeddedDatabase

type Use<T> = (value: T) => Promise<void>

const shared = {
  rows: async (
    { db, schema }: Pick<Fixtures, 'db' | 'schema'>,
    use: Use<Fixtures['rows']>,
  ): Promise<void> => {
    await use(async (sql, values) => {
      const text = sql.replaceAll('{schema}', quoteIdentifier(schema))
      const { rows } = await (db as Pool).query(text, values)
      return rows as Row[]
    })
  },
  untilRow: async (
    { rows }: Pick<Fixtures, 'rows'>,
    use: Use<Fixtures['untilRow']>,
  ): Promise<void> => {
    await use(async (sql, values, { fits = () => true, ...options } = {}) =>
      until(async () => (await rows(sql, values)).find(fits), { what: sql, ...options }),
    )
  },
  // oxlint-disable-next-line no-empty-pattern -- vitest wants a pattern to see what a fixture needs
  events: async ({}: object, use: Use<EventLog>): Promise<void> => {
    await use(new EventLog())
  },
  seen: async ({ events }: Pick<Fixtures, 'events'>, use: Use<EventLog['seen']>): Promise<void> => {
    await use((type, match, options) => events.seen(type, match, options))
  },
  // oxlint-disable-next-line no-empty-pattern -- as above
  log: async ({}: object, use: Use<LogLine[]>): Promise<void> => {
    await use([])
  },
  openQueue: async (
    { db, schema, events, log }: Pick<Fixtures, 'db' | 'schema' | 'events' | 'log'>,
    use: Use<OpenQueue>,
  ): Promise<void> => {
    await use(await queueOpener(db, { schema, events, log }))
  },
  queue: async ({ openQueue }: Pick<Fixtures, 'openQueue'>, use: Use<JobQueue>): Promise<void> => {
    await use(openQueue())
  },
  receive: async (
    { db: _db, schema: _schema }: Pick<Fixtures, 'db' | 'schema'>,
    use: Use<Fixtures['receive']>,
  ): Promise<void> => {
    const all: { stop: AbortController; ended: Promise<void> }[] = []
    await use((queue, options) => {
      const stop = new AbortController()
      const ended = queue.receive({ shutdownTimeout: '2s', signal: stop.signal, ...options })
      // Whoever waits for it hears of a rejection; nobody has to.
      ended.catch(() => undefined)
      all.push({ stop, ended })
      return { ended, stop: () => (stop.abort(), ended) }
    })
    for (const { stop } of all) stop.abort()
    await Promise.allSettled(all.map(({ ended }) => ended))
  },
}

/** Tests on a real PostgreSQL: `test('…', async ({ db, schema, queue, child, seen }) => …)`. */
export const test: TestAPI<ServerFixtures> = base.extend<ServerFixtures>({
  // oxlint-disable-next-line no-empty-pattern -- as above
  databaseUrl: async ({}, use) => {
    await use(inject('databaseUrl'))
  },
  db: async ({ databaseUrl }, use) => {
    const pool = new Pool({ connectionString: databaseUrl, max: 10 })
    // A test that restarts its server loses idle connections; that is no failure of the test.
    pool.on('error', () => undefined)
    await use(pool)
    if (!pool.ending) await pool.end()
  },
  schema: async ({ db, databaseUrl, task, onTestFailed }, use) => {
    let hasFailed = false
    onTestFailed(() => void (hasFailed = true))
    const schema = await createSchema(db, task.name)
    await use(schema)
    if (hasFailed || task.result?.state === 'fail') keepSchema(schema, databaseUrl)
    else await dropSchema(schema, databaseUrl)
  },
  ...shared,
  child: async ({ databaseUrl, schema, events }, use) => {
    const children: Child[] = []
    let isOver = false
    const start = <C extends Child>(make: () => C): C => {
      // Whoever replaces a process that died would replace those that end with the test.
      if (isOver) throw new Error('The test is over: no process starts any more.')
      const child = make()
      children.push(child)
      return child
    }
    await use({
      run: (script, options) => start(() => new Child(script, { ...options, events })),
      receive: async (options = {}) => {
        const { script, process: started } = options
        const worker = start(
          () => new WorkerProcess({ databaseUrl, schema }, { ...started, script, events }),
        )
        await worker.open(options)
        return worker
      },
    })
    isOver = true
    await Promise.all(children.map((child) => child.end()))
  },
  runLog: async ({ schema, rows }, use) => {
    const table = `${quoteIdentifier(schema)}.test_runs`
    await rows(
      `create table ${table} (run bigserial, job_id bigint, attempt int4, pid int4, queue_name text)`,
    )
    const sql = `select job_id::text as "jobId", attempt, pid, queue_name as "queueName" from ${table} order by run`
    await use({ table, read: () => rows(sql) as unknown as ReturnType<RunLog['read']> })
  },
})

/** As `test`, on a server of its own that may be stopped, restarted and killed: `async ({ server, … })`. */
export const testOnOwnServer: TestAPI<ServerFixtures & { server: PostgresServer }> = test.extend<{
  server: PostgresServer
  databaseUrl: string
  schema: string
}>({
  // oxlint-disable-next-line no-empty-pattern -- as above
  server: async ({}, use) => {
    const server = await startPostgres()
    await use(server)
    await server.remove()
  },
  databaseUrl: async ({ server }, use) => {
    await use(server.url)
  },
  // Goes with the server, which may be stopped by now.
  schema: async ({ db, task }, use) => {
    await use(await createSchema(db, task.name))
  },
})

/** As `test`, with queues on postgres.js: `sql` is what they work on, `db` stays the test's own pool. */
export const testOnPostgresJs: TestAPI<ServerFixtures & { sql: Sql }> = test.extend<{
  sql: Sql
  openQueue: OpenQueue
}>({
  sql: async ({ databaseUrl }, use) => {
    const sql = postgres(databaseUrl, { max: 10 })
    await use(sql)
    await sql.end({ timeout: 1 })
  },
  openQueue: async ({ sql, schema, events, log }, use) => {
    await use(await queueOpener(sql, { schema, events, log }))
  },
})

/** Tests on the embedded database: one in memory for each file, a schema for each test. */
export const testOnPGlite: TestAPI<Fixtures<EmbeddedDatabase>> = base.extend<
  Fixtures<EmbeddedDatabase>
>({
  // oxlint-disable-next-line no-empty-pattern -- as above
  databaseUrl: async ({}, use) => {
    await use('memory://')
  },
  // oxlint-disable-next-line no-empty-pattern -- as above
  db: async ({}, use) => {
    await use(await openPGlite())
  },
  schema: async ({ db, task }, use) => {
    const schema = await createSchema(db, task.name)
    await use(schema)
    await db.query(`drop schema if exists ${quoteIdentifier(schema)} cascade`)
  },
  ...shared,
})

/**
 * Runs a block of tests on PostgreSQL (a `pg.Pool`) and on PGlite: `describeEachDatabase('enqueue', (test) => …)`.
 * With MILLRACE_TEST_POSTGRES_JS=1 the first has its queues on postgres.js.
 */
export function describeEachDatabase(
  name: string,
  body: (test: TestAPI<Fixtures>, database: 'PostgreSQL' | 'PGlite') => void,
): void {
  const onServer = process.env['MILLRACE_TEST_POSTGRES_JS'] === '1' ? testOnPostgresJs : test
  describe.each([
    ['PostgreSQL', onServer as unknown as TestAPI<Fixtures>],
    ['PGlite', testOnPGlite as unknown as TestAPI<Fixtures>],
  ] as const)(`${name} on %s`, (database, api) => {
    body(api, database)
  })
}

/** For whoever arranges by hand: a migrated schema with a name that says which test made it. */
export async function createSchema(db: TestDatabase, purpose: string): Promise<string> {
  const { migrateUp } = await import('../../src/migrations/migrate.ts')
  const words = purpose.toLowerCase().replaceAll(/[^a-z0-9]+/g, ' ')
  // The space makes every test a test of quoting.
  const schema = `test ${words.slice(0, 40).trim()} ${randomBytes(4).toString('hex')}`
  await migrateUp(db, { schema })
  return schema
}

/** Opens queues whose events and log lines are recorded. */
async function queueOpener(
  db: Database,
  { schema, events, log }: Pick<Fixtures, 'schema' | 'events' | 'log'>,
): Promise<OpenQueue> {
  // A suite that opens no queue (migrations, drivers) need not load the engine.
  const { JobQueue: Queue } = await import('../../src/job-queue.ts')
  const logger = recordingLogger(log)
  return (first?: unknown, second?: QueueOptions): JobQueue => {
    const isWorker = typeof first === 'function' || (isObject(first) && 'work' in first)
    const given = isWorker ? second : (first as QueueOptions | undefined)
    const options = { schema, logger, ...given }
    const queue = isWorker ? new Queue(db, first as Worker, options) : new Queue(db, options)
    queue.observe((event) => events.record(event, process.pid))
    return queue
  }
}

function keepSchema(schema: string, databaseUrl: string): void {
  console.error(`Kept for autopsy: schema ${quoteIdentifier(schema)} in ${databaseUrl}`)
}

/** Over a connection of its own: what a test did to its pool does not matter. */
async function dropSchema(schema: string, databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  try {
    await client.connect()
    await client.query(`set lock_timeout = '5s'; set client_min_messages = warning`)
    await client.query(`drop schema if exists ${quoteIdentifier(schema)} cascade`)
  } catch (error) {
    // Something of the test still holds it; the server goes with the run.
    console.warn(`Could not drop schema ${quoteIdentifier(schema)}: ${String(error)}`)
  } finally {
    await client.end()
  }
}

let pglite: Promise<EmbeddedDatabase> | undefined

function openPGlite(): Promise<EmbeddedDatabase> {
  pglite ??= import('./pglite.ts').then(({ createEmbedded }) => createEmbedded())
  return pglite
}

function recordingLogger(log: LogLine[]) {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) =>
    void log.push({ level, message, fields })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
