import pg from 'pg'
import { type PostgresServer, startPostgres } from '../../test/support/postgres.ts'
import { serverCpuSeconds } from './process-cpu.ts'

/** What the benchmark's server is started with; everything else is as PostgreSQL has it. */
export const SETTINGS = { shared_buffers: '1GB', max_wal_size: '8GB' }

/** The server on which statements are counted, so that counting slows nothing that is measured. */
const COUNTING = {
  ...SETTINGS,
  shared_buffers: '128MB',
  shared_preload_libraries: 'pg_stat_statements',
}

/** What a server has done so far. Only differences mean something. */
export interface ServerUsage {
  readonly walBytes: number | undefined
  readonly cpuSeconds: number | undefined
  readonly statements: number | undefined
}

/** A PostgreSQL of the benchmark, with one fresh database at a time. */
export class BenchPostgres {
  readonly #server: PostgresServer
  readonly #admin: pg.Client
  readonly #countsStatements: boolean
  #databases = 0

  private constructor(server: PostgresServer, admin: pg.Client, countsStatements: boolean) {
    this.#server = server
    this.#admin = admin
    this.#countsStatements = countsStatements
  }

  static async start({ countsStatements = false } = {}): Promise<BenchPostgres> {
    const server = await startPostgres({ settings: countsStatements ? COUNTING : SETTINGS })
    const admin = new pg.Client({ connectionString: server.url })
    admin.on('error', () => {}) // seen by the next query
    await admin.connect()
    if (countsStatements) await admin.query('create extension pg_stat_statements')
    return new BenchPostgres(server, admin, countsStatements)
  }

  /** As `18.4`. */
  async version(): Promise<string> {
    return this.#one<string>('show server_version', 'server_version')
  }

  /** Every setting that is not PostgreSQL's default, but for names of files and the like. */
  async settings(): Promise<Record<string, string>> {
    const { rows } = await this.#admin.query<{ name: string; value: string }>(
      `select name, current_setting(name) as value
       from pg_settings
       where source in ('command line', 'configuration file') and boot_val is distinct from reset_val
         and name not in ('listen_addresses', 'port', 'unix_socket_directories', 'config_file', 'data_directory',
           'hba_file', 'ident_file')
         and name not like 'lc\\_%'
       order by name`,
    )
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
  }

  /** Makes an empty database. */
  async createDatabase(): Promise<BenchDatabase> {
    this.#databases += 1
    const name = `bench_${this.#databases}`
    await this.#admin.query(`create database ${name}`)
    const url = new URL(this.#server.url)
    url.pathname = name
    return { name, url: url.href }
  }

  async dropDatabase({ name }: BenchDatabase): Promise<void> {
    await this.#admin.query(`drop database ${name} with (force)`)
  }

  async checkpoint(): Promise<void> {
    await this.#admin.query('checkpoint')
  }

  async usage({ name }: BenchDatabase): Promise<ServerUsage> {
    const walBytes = await this.#one<number>(
      `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as bytes`,
      'bytes',
    )
    const statements = this.#countsStatements ? await this.#countStatements(name) : undefined
    const { pid } = this.#server
    return {
      walBytes,
      cpuSeconds: pid === undefined ? undefined : serverCpuSeconds(pid),
      statements,
    }
  }

  /** Transactions that a database has seen, and connections to it, the benchmark's own left out. */
  async activity({ name }: BenchDatabase): Promise<{ transactions: number; connections: number }> {
    const { rows } = await this.#admin.query<{ transactions: number; connections: number }>(
      `select (xact_commit + xact_rollback)::float8 as transactions,
         (select count(*)::int from pg_stat_activity where pg_stat_activity.datname = $1) as connections
       from pg_stat_database
       where datname = $1`,
      [name],
    )
    return rows[0] ?? { transactions: 0, connections: 0 }
  }

  async remove(): Promise<void> {
    await this.#admin.end().catch(() => {}) // it may have crashed
    await this.#server.remove()
  }

  async #countStatements(database: string): Promise<number> {
    const { rows } = await this.#admin.query<{ calls: number }>(
      `select coalesce(sum(calls), 0)::float8 as calls
       from pg_stat_statements
       join pg_database on pg_database.oid = dbid
       where datname = $1`,
      [database],
    )
    return rows[0]?.calls ?? 0
  }

  async #one<T>(text: string, column: string): Promise<T> {
    const { rows } = await this.#admin.query<Record<string, T>>(text)
    const value = rows[0]?.[column]
    if (value === undefined) throw new Error(`PostgreSQL answered nothing to: ${text}`)
    return value
  }
}

/** One run's database. */
export interface BenchDatabase {
  readonly name: string
  readonly url: string
}
