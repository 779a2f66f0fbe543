import { readFileSync } from 'node:fs'
import path from 'node:path'
import { drizzle as drizzleOnPg } from 'drizzle-orm/node-postgres'
import { drizzle as drizzleOnPostgresJs } from 'drizzle-orm/postgres-js'
import { integer, pgSchema, text } from 'drizzle-orm/pg-core'
import knexOf from 'knex'
import { type Generated, Kysely, PostgresDialect } from 'kysely'
import { Pool } from 'pg'
import postgres from 'postgres'
import { describe, expect, test } from 'vitest'
import { inPool, inPostgresJs } from '../queue/arrange.ts'
import { drizzleTx } from './drizzle-tx.ts'
import { knexTx } from './knex-tx.ts'
import { kyselyTx } from './kysely-tx.ts'
import { describeLibrary, ordersOf } from './orders.ts'
import { prismaTx } from './prisma-tx.ts'

const ordersTable = (schema: string) =>
  pgSchema(schema).table('orders', {
    id: integer().generatedAlwaysAsIdentity(),
    item: text().notNull(),
  })

describe('pg', () => {
  describeLibrary((connectionString, schema) => {
    const pool = new Pool({ connectionString })
    const insert = `insert into ${ordersOf(schema)} (item) values ($1)`
    return {
      transaction: (work) => inPool(pool, (tx) => work(tx, (item) => tx.query(insert, [item]))),
      end: () => pool.end(),
    }
  })
})

describe('postgres.js', () => {
  describeLibrary((url, schema) => {
    const sql = postgres(url)
    return {
      transaction: (work) =>
        inPostgresJs(sql, (tx) =>
          work(
            tx as never,
            async (item) => tx`insert into ${tx(schema)}.orders (item) values (${item})`,
          ),
        ),
      end: () => sql.end(),
    }
  })
})

describe('Drizzle on node-postgres', () => {
  describeLibrary((connectionString, schema) => {
    const pool = new Pool({ connectionString })
    const db = drizzleOnPg(pool)
    return {
      transaction: (work) =>
        db.transaction((tx) =>
          work(drizzleTx(tx), async (item) => tx.insert(ordersTable(schema)).values({ item })),
        ),
      end: () => pool.end(),
    }
  })
})

describe('Drizzle on postgres.js', () => {
  describeLibrary((url, schema) => {
    const sql = postgres(url)
    const db = drizzleOnPostgresJs(sql)
    return {
      transaction: (work) =>
        db.transaction((tx) =>
          work(drizzleTx(tx), async (item) => tx.insert(ordersTable(schema)).values({ item })),
        ),
      end: () => sql.end(),
    }
  })
})

describe('Kysely', () => {
  interface Tables {
    orders: { id: Generated<number>; item: string }
  }
  describeLibrary((connectionString, schema) => {
    const pool = new Pool({ connectionString })
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
    return {
      transaction: (work) =>
        db
          .transaction()
          .execute((trx) =>
            work(kyselyTx(trx), (item) =>
              trx.withSchema(schema).insertInto('orders').values({ item }).execute(),
            ),
          ),
      end: () => db.destroy(),
    }
  })
})

describe('Knex', () => {
  describeLibrary((connection, schema) => {
    const knex = knexOf({ client: 'pg', connection })
    return {
      transaction: (work) =>
        knex.transaction((trx) =>
          work(knexTx(trx), async (item) =>
            trx.withSchema(schema).table('orders').insert({ item }),
          ),
        ),
      end: () => knex.destroy(),
    }
  })
})

/**
 * Prisma cannot be generated without a download, so this is its `$transaction` as far as the adapter sees it: values
 * one by one after the text, rows as the answer. The real one was tried by hand with 6.19.0 and 7.10.1.
 */
describe('Prisma, by a stand-in', () => {
  describeLibrary((connectionString, schema) => {
    const pool = new Pool({ connectionString })
    const insert = `insert into ${ordersOf(schema)} (item) values ($1)`
    return {
      transaction: (work) =>
        inPool(pool, (client) => {
          const tx = {
            $queryRawUnsafe: async <T>(query: string, ...values: unknown[]): Promise<T> =>
              (await client.query(query, values)).rows as T,
          }
          return work(prismaTx(tx), (item) => client.query(insert, [item]))
        }),
      end: () => pool.end(),
    }
  })
})

test.each(['drizzle-tx.ts', 'kysely-tx.ts', 'knex-tx.ts', 'prisma-tx.ts'])(
  'docs/transactions.md shows %s as it is tested here',
  (file) => {
    const page = path.resolve(import.meta.dirname, '../../docs/transactions.md')
    const adapter = readFileSync(path.join(import.meta.dirname, file), 'utf8')
    expect(readFileSync(page, 'utf8')).toContain(`\`\`\`ts ${file}\n${adapter}\`\`\``)
  },
)
