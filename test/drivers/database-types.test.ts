import type { PGlite, Transaction as PGliteTransaction } from '@electric-sql/pglite'
import { Client, Pool, type PoolClient } from 'pg'
import postgres from 'postgres'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Database, Transaction } from '../../src/drivers/database.ts'
import type { DB, DBTX } from '../../src/drivers/driver.ts'
import type { EmbeddedDatabase } from '../../src/embedded/index.ts'

/** What a function of the public interface looks like to its caller. */
const takeDatabase = (database: Database): Database => database
const takeTransaction = (tx: Transaction): Transaction => tx

describe('Database', () => {
  test('is everything that can be opened, without a cast', () => {
    expectTypeOf<Pool>().toExtend<Database>()
    expectTypeOf<Client>().toExtend<Database>()
    expectTypeOf<postgres.Sql>().toExtend<Database>()
    expectTypeOf<postgres.Sql<{ big: bigint }>>().toExtend<Database>()
    expectTypeOf<PGlite>().toExtend<Database>()
    expectTypeOf<EmbeddedDatabase>().toExtend<Database>()
    expectTypeOf<DB>().toExtend<Database>()
    const pool = new Pool()
    expect(takeDatabase(pool)).toBe(pool)
    const client = new Client()
    expect(takeDatabase(client)).toBe(client)
    const sql = postgres()
    expect(takeDatabase(sql)).toBe(sql)
    const typed = postgres({ types: { big: postgres.BigInt } })
    expect(takeDatabase(typed)).toBe(typed)
  })

  test('is nothing else', () => {
    // @ts-expect-error a connection string is not a database
    takeDatabase('postgres://localhost')
    // @ts-expect-error what only runs statements has no transactions
    takeDatabase({ query: async () => ({ rows: [], rowCount: 0 }) })
    // @ts-expect-error there is no default
    takeDatabase(undefined)
    expect.assertions(0)
  })
})

describe('Transaction', () => {
  test('is what each client calls one, without a cast', () => {
    expectTypeOf<PoolClient>().toExtend<Transaction>()
    expectTypeOf<Client>().toExtend<Transaction>()
    expectTypeOf<postgres.TransactionSql>().toExtend<Transaction>()
    expectTypeOf<postgres.TransactionSql<{ big: bigint }>>().toExtend<Transaction>()
    expectTypeOf<postgres.ReservedSql>().toExtend<Transaction>()
    expectTypeOf<PGliteTransaction>().toExtend<Transaction>()
    expectTypeOf<DBTX>().toExtend<Transaction>()
    const tx: DBTX = { query: async () => ({ rows: [], rowCount: 0 }) }
    expect(takeTransaction(tx)).toBe(tx)
  })

  test('is never a pool, a whole sql or a whole PGlite, whose statements would each commit alone', () => {
    // @ts-expect-error a pool is not a transaction
    takeTransaction(new Pool())
    // @ts-expect-error a sql of postgres.js is not a transaction
    takeTransaction(postgres())
    // @ts-expect-error a PGlite is not a transaction
    const whole = (pglite: PGlite): Transaction => pglite
    expect(whole).toBeTypeOf('function')
  })
})
