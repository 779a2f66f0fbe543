import { PGlite } from '@electric-sql/pglite'
import { Client, type CustomTypesConfig, Pool, type PoolConfig, type QueryResult } from 'pg'
import postgres from 'postgres'
import { inject } from 'vitest'
import type { DB, DBTX } from '../../src/drivers/driver.ts'
import { openEmbedded } from '../../src/embedded/index.ts'
import { describeDriver, type Subject } from './conformance.ts'

const connectionString = inject('databaseUrl')

describeDriver('pg.Pool', async () => {
  const pool = new Pool({ connectionString })
  return poolSubject(pool)
})

describeDriver('pg.Pool with two connections and types of its own', async () => {
  const types = { getTypeParser: () => (): string => 'parsed' } as unknown as CustomTypesConfig
  const pool = new Pool({ connectionString, max: 2, types })
  return poolSubject(pool)
})

describeDriver('pg.Pool in binary', async () => {
  const pool = new Pool({ connectionString, binary: true } as PoolConfig)
  return poolSubject(pool)
})

describeDriver('pg.Client', async () => {
  const client = new Client({ connectionString })
  await client.connect()
  return {
    database: client,
    nativeTransaction: (work) => inTransaction(client, () => work(client)),
    closesTransactions: true,
    canReceive: false,
    end: once(() => client.end()),
  }
})

describeDriver('postgres.js', async () => postgresSubject(postgres(connectionString)))

describeDriver('postgres.js with one connection, which fetches no types', async () =>
  postgresSubject(postgres(connectionString, { max: 1, fetch_types: false })),
)

describeDriver('postgres.js with transforms and types of its own', async () =>
  postgresSubject(
    postgres(connectionString, {
      max: 2,
      transform: {
        undefined: 'nothing',
        column: postgres.kebab.column,
        value: { from: () => 'transformed' },
      },
      types: {
        text: { to: 25, from: [25], serialize: () => 'serialized', parse: () => 'parsed' },
        whole: { to: 23, from: [23], serialize: () => '0', parse: () => 'parsed' },
        truth: { to: 16, from: [16], serialize: () => 'f', parse: () => 'parsed' },
        big: postgres.BigInt,
      },
    }),
  ),
)

// The embedded database below has PGlite's own types; both ways are tried.
describeDriver('PGlite with types of its own', async () => {
  const pglite = await PGlite.create({
    parsers: { 25: () => 'parsed', 23: () => 'parsed', 16: () => 'parsed' },
    serializers: { 25: () => 'serialized', 1009: () => '{serialized}', 16: () => 'f' },
  })
  return {
    database: pglite,
    nativeTransaction: (work) => pglite.transaction((tx) => work(tx)),
    closesTransactions: true,
    canReceive: true,
    end: once(() => pglite.close()),
  }
})

describeDriver('openEmbedded', async () => {
  const db = await openEmbedded()
  return {
    database: db,
    nativeTransaction: (work) => db.transaction((tx) => work(tx)),
    closesTransactions: true,
    canReceive: true,
    end: () => db.close(),
  }
})

describeDriver('a DB of the user', async () => {
  const pool = new Pool({ connectionString })
  const db = ownDatabase(pool)
  return {
    database: db,
    nativeTransaction: (work) => db.transaction((tx) => work(tx)),
    closesTransactions: false,
    canReceive: true,
    end: once(() => pool.end()),
  }
})

function poolSubject(pool: Pool): Subject {
  return {
    database: pool,
    nativeTransaction: async (work) => {
      const client = await pool.connect()
      await inTransaction(client, () => work(client)).finally(() => client.release())
    },
    closesTransactions: true,
    canReceive: true,
    end: once(() => pool.end()),
  }
}

function postgresSubject<Types extends Record<string, unknown>>(sql: postgres.Sql<Types>): Subject {
  return {
    database: sql,
    nativeTransaction: async (work) => {
      await sql.begin((tx) => work(tx))
    },
    closesTransactions: true,
    canReceive: true,
    end: once(() => sql.end()),
  }
}

/** A driver as a user might write it, with LISTEN on a connection of its own. */
function ownDatabase(pool: Pool): DB {
  return {
    query: (text, values) => pool.query(text, values).then(last),
    transaction: async <T>(work: (tx: DBTX) => Promise<T>): Promise<T> => {
      const client = await pool.connect()
      let line: Promise<unknown> = Promise.resolve() // pg will no longer queue statements
      const tx: DBTX = {
        query: (text, values) => {
          const answer = line.then(() => client.query(text, values)).then(last)
          line = answer.catch(() => {})
          return answer
        },
      }
      return inTransaction(client, () => work(tx)).finally(() => client.release())
    },
    listen: async (channel, onNotify, { signal }) => {
      const client = new Client({ connectionString })
      await client.connect()
      client.on('notification', (message) => {
        if (message.channel === channel) onNotify(message.payload ?? '')
      })
      await client.query(`listen ${client.escapeIdentifier(channel)}`)
      signal.addEventListener('abort', () => void client.end(), { once: true })
    },
  }
}

function last(result: QueryResult | QueryResult[]): QueryResult {
  const one = Array.isArray(result) ? result.at(-1) : result
  if (one === undefined) throw new Error('nothing answered')
  return one
}

async function inTransaction<T>(client: Pick<Client, 'query'>, work: () => Promise<T>): Promise<T> {
  await client.query('begin')
  try {
    const result = await work()
    const { command } = await client.query('commit')
    if (command === 'ROLLBACK') throw Object.assign(new Error('rolled back'), { code: '25P02' })
    return result
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

function once(end: () => Promise<void>): () => Promise<void> {
  let ending: Promise<void> | undefined
  return () => (ending ??= end())
}
