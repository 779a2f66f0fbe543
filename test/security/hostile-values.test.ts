import { describe } from 'vitest'
import { migrateUp } from '../../src/migrations/migrate.ts'
import { quoteIdentifier } from '../../src/core/identifiers.ts'
import { millrace } from '../cli/millrace.ts'
import { describeEachDatabase, expect, test as onServer, until } from '../support/fixtures.ts'

/** What breaks out of a string, an identifier, a comment, a format or a pattern, where somebody forgot to quote. */
const HOSTILE = [
  `'; drop schema public cascade; --`,
  `"; drop table jobs; --`,
  `$$; select pg_sleep(60); $$`,
  `$1`,
  `\\'; select 1/0; --`,
  `/* */ or 1=1`,
  `%s%I%L`,
  `{schema}.jobs`,
  `{schema}`,
  `queue\nwith a line`,
  `𝕢ueue 🧵 ‮ reversed`,
  `__proto__`,
  `constructor`,
  '`${process.exit(1)}`',
  `<script>alert(1)</script>`,
] as const

/** Objects whose keys would reach a prototype, or become code, where JSON is not taken for what it is. */
const POISON =
  '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toJSON":"x","then":1}'

describeEachDatabase('hostile values', (test) => {
  test.for(HOSTILE)(
    '%j is but a name, a key and a text',
    async (hostile, { openQueue, receive, rows }) => {
      const dead = `dead ${hostile}`
      const queue = openQueue(
        () => {
          throw new Error(hostile)
        },
        { queueName: hostile, dlq: dead, baseRetryDelay: '10ms' },
      )
      const args = { [hostile]: hostile }
      const { id } = await queue.enqueue(args, { metadata: { [hostile]: hostile }, maxRetries: 0 })
      const receiving = receive(queue)
      const deadLetters = openQueue({ queueName: dead })
      const moved = await until(() => deadLetters.get(id))
      await receiving.stop()
      expect(moved).toMatchObject({ id, args, metadata: { [hostile]: hostile }, queueName: dead })
      expect(moved.errors).toMatchObject([{ message: hostile }])
      expect(await deadLetters.redrive()).toBe(1)
      expect(await queue.counts()).toMatchObject({ available: 1 })
      expect(await rows('select count(*)::int4 as count from {schema}.queues')).toEqual([
        { count: 2 },
      ])
      expect(await rows('select from {schema}.jobs')).toHaveLength(1)
    },
  )

  test('arguments become neither code nor prototypes', async ({ openQueue, receive }) => {
    const seen: unknown[] = []
    const queue = openQueue<unknown, unknown>((job) => {
      seen.push(job.args, job.metadata)
      return job.args
    })
    const poison: unknown = JSON.parse(POISON)
    const { id } = await queue.enqueue(poison, { metadata: poison as Record<string, unknown> })
    const receiving = receive(queue)
    const record = await until(async () => {
      const found = await queue.get(id)
      return found?.status === 'finished' && found
    })
    await receiving.stop()
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    for (const value of [...seen, record.args, record.metadata, record.result]) {
      expect(entriesOf(value)).toEqual(entriesOf(poison))
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    }
  })

  test('what the log says has no arguments in it, nor metadata, nor results', async ({
    openQueue,
    receive,
    log,
    seen,
  }) => {
    const secret = 'card 4111 1111 1111 1111'
    const queue = openQueue<unknown, unknown>(
      (job) => {
        if (job.attempt === 1) throw new Error('declined')
        return { secret }
      },
      { baseRetryDelay: '10ms' },
    )
    const { id } = await queue.enqueue({ secret }, { metadata: { secret } })
    const receiving = receive(queue)
    await seen('job.finished', id)
    await receiving.stop()
    expect(log.some(({ level }) => level === 'debug')).toBe(true)
    expect(JSON.stringify(log)).not.toContain('4111')
  })
})

describe('hostile names of schemas', () => {
  onServer.for(HOSTILE)('%j is but a name', async (hostile, { db, openQueue, receive, seen }) => {
    const schema = `${hostile} schema`
    try {
      await migrateUp(db, { schema })
      const queue = openQueue(() => 1, { schema })
      const { id } = await queue.enqueue({})
      const receiving = receive(queue)
      await seen('job.finished', id)
      await receiving.stop()
      expect(await queue.counts()).toMatchObject({ finished: 1 })
    } finally {
      await db.query(`drop schema if exists ${quoteIdentifier(schema)} cascade`)
    }
  })
})

describe('hostile arguments of the command line', () => {
  onServer.for(HOSTILE)('%j is but a name', async (hostile, { schema, rows, databaseUrl }) => {
    const env = { databaseUrl, schema }
    const enqueued = await millrace(
      ['enqueue', '--', hostile, JSON.stringify({ text: hostile })],
      env,
    )
    expect(enqueued, enqueued.stderr).toMatchObject({ code: 0 })
    const listed = await millrace(['jobs', 'list', '--queue', hostile, '--json'], env)
    expect(listed, listed.stderr).toMatchObject({ code: 0 })
    expect(listed.stdout).toContain(JSON.stringify(hostile).slice(1, -1))
    expect(await rows('select count(*)::int4 as count from {schema}.jobs')).toEqual([{ count: 1 }])
  })
})

/** In one order: `jsonb` has its own. */
function entriesOf(value: unknown): (readonly [string, unknown])[] {
  return Object.entries(value as object).sort(([left], [right]) => (left < right ? -1 : 1))
}
