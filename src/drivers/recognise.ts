import { inspect } from 'node:util'
import { MillraceError } from '../core/errors.ts'
import { DbDriver } from './custom.ts'
import type { DB, DBTX, Driver, Executor } from './driver.ts'
import { EMBEDDED, type EmbeddedLike } from './embedded-mark.ts'
import { PgPoolDriver } from './node-postgres.ts'
import { PgClientDriver } from './pg-client.ts'
import type { PgClient, PgPool } from './pg-shapes.ts'
import { clientExecutor } from './pg-transaction.ts'
import { PGliteDriver } from './pglite.ts'
import { type PGliteInstance, type PGliteTransaction, runStatement } from './pglite-shapes.ts'
import { PostgresJsDriver } from './postgres-js.ts'
import type { PostgresQueryable, PostgresSql } from './postgres-js-shapes.ts'
import { queryOf, resultOf } from './postgres-js-statement.ts'

const drivers = new WeakMap<object, Driver>()

const ACCEPTED =
  'Pass a pg.Pool, a pg.Client, the sql of postgres.js, a PGlite, or an object with query() and transaction() (a DB).'

/**
 * The driver for what a user passed as database; always the same one for the same object.
 * Does no I/O. Recognised in the order PGlite, postgres.js, pg, `DB`.
 */
export function driverFor(database: unknown): Driver {
  if (!isObject(database)) throw notADatabase(database)
  const known = drivers.get(database)
  if (known !== undefined) return known
  const driver = recognise(database)
  if (driver === undefined) throw notADatabase(database)
  drivers.set(database, driver)
  return driver
}

/** What runs statements in a transaction that a user passed as `tx`, whatever their driver calls one. */
export function executorFor(tx: unknown): Executor {
  if (!isObject(tx)) throw notATransaction(tx, 'It is not a transaction.')
  if (isWholeDatabase(tx)) {
    throw notATransaction(tx, 'It is a whole database: its statements would each commit alone.')
  }
  if (isPostgresTransaction(tx)) return postgresExecutor(tx)
  if (!can(tx, 'query')) throw notATransaction(tx, 'It is not a transaction.')
  if (isPgClient(tx)) {
    if (tx._ended !== true && tx._ending !== true) return clientExecutor(tx)
    throw notATransaction(tx, 'It is a pg client that was ended.')
  }
  if (isPGliteTransaction(tx)) return pgliteExecutor(tx)
  const custom = tx as unknown as DBTX
  return { query: (text, values) => custom.query(text, values) }
}

function recognise(database: object): Driver | undefined {
  if (isEmbedded(database)) {
    return new PGliteDriver(database[EMBEDDED], { identity: database, isExclusive: true })
  }
  if (isPGlite(database)) return new PGliteDriver(database)
  if (isPostgresSql(database)) return new PostgresJsDriver(database)
  if (isPgPool(database)) return new PgPoolDriver(database)
  if (isPgClient(database)) return new PgClientDriver(database)
  if (isDB(database)) return new DbDriver(database)
  return undefined
}

function isWholeDatabase(value: object): boolean {
  if (isEmbedded(value) || isPGlite(value) || isPostgresSql(value) || isPgPool(value)) return true
  return drivers.get(value)?.name === 'DB'
}

function isEmbedded(value: object): value is EmbeddedLike {
  return EMBEDDED in value
}

function isPGlite(value: object): value is PGliteInstance {
  return (
    'waitReady' in value && can(value, 'query') && can(value, 'exec') && can(value, 'transaction')
  )
}

/** Only the whole `sql` can listen and reserve; its transactions and reserved connections cannot. */
function isPostgresSql(value: object): value is PostgresSql {
  return (
    typeof value === 'function' &&
    'options' in value &&
    ['unsafe', 'begin', 'listen', 'reserve', 'end'].every((method) => can(value, method))
  )
}

function isPostgresTransaction(value: object): value is PostgresQueryable {
  return (
    typeof value === 'function' &&
    can(value, 'unsafe') &&
    can(value, 'typed') &&
    (can(value, 'savepoint') || can(value, 'release'))
  )
}

function isPgPool(value: object): value is PgPool {
  return 'totalCount' in value && can(value, 'connect') && can(value, 'query') && can(value, 'on')
}

function isPgClient(value: object): value is PgClient {
  return can(value, 'escapeIdentifier') && can(value, 'query') && can(value, 'on')
}

function isPGliteTransaction(value: object): value is PGliteTransaction {
  return 'closed' in value && can(value, 'query') && can(value, 'exec') && can(value, 'rollback')
}

function isDB(value: object): value is DB {
  return can(value, 'query') && can(value, 'transaction')
}

function postgresExecutor(tx: PostgresQueryable): DBTX {
  return { query: async (text, values) => resultOf(await queryOf(tx, text, values), text) }
}

function pgliteExecutor(tx: PGliteTransaction): DBTX {
  if (tx.closed) throw notATransaction(tx, 'It is a PGlite transaction that has ended.')
  return { query: (text, values) => runStatement(tx, text, values) }
}

function notADatabase(value: unknown): MillraceError {
  return new MillraceError(
    'INVALID_DATABASE',
    { database: describe(value) },
    { message: `The database is ${describe(value)}, which cannot be used. ${remedy(value)}` },
  )
}

function notATransaction(value: unknown, why: string): MillraceError {
  return new MillraceError(
    'INVALID_DATABASE',
    { option: 'tx', value: describe(value) },
    {
      message: `The option tx is ${describe(value)}. ${why} Pass a pg client after its \`begin\`, what sql.begin of postgres.js passes on, the transaction of PGlite or of a DB, or any object with query().`,
    },
  )
}

/** The mistakes that are likely, each with its own way out. */
function remedy(value: unknown): string {
  if (typeof value === 'string') {
    return `Pass a pool that connects to it: new pg.Pool({ connectionString }). ${ACCEPTED}`
  }
  if (typeof value === 'function' && can(value, 'unsafe'))
    return `It looks like postgres.js: pass the sql that postgres() returned, not a part of it. ${ACCEPTED}`
  if (isObject(value) && '$client' in value)
    return `Of a Drizzle database pass db.$client. ${ACCEPTED}`
  if (isObject(value) && can(value, 'then')) return `It is a promise: await it first. ${ACCEPTED}`
  return ACCEPTED
}

/** Enough to find it in one's own code; never its contents, which may hold a password. */
function describe(value: unknown): string {
  if (typeof value === 'string') return `a string of ${value.length} characters`
  if (typeof value === 'function') return `a function${value.name === '' ? '' : ` (${value.name})`}`
  if (!isObject(value)) return inspect(value)
  const constructor: unknown = Reflect.get(value, 'constructor')
  const name = typeof constructor === 'function' ? constructor.name : ''
  return name !== '' ? `an object of class ${name}` : 'an object'
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function can(value: object, method: string): boolean {
  return typeof Reflect.get(value, method) === 'function'
}
