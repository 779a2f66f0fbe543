import { readdir } from 'node:fs/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { quoteIdentifier } from '../../src/core/identifiers.ts'
import { migrateUp } from '../../src/migrations/migrate.ts'
import { isStatement, type Statement } from '../../src/store/statement.ts'

/** Statements that do not name one queue, each with the reason. */
const NAME_NO_QUEUE = new Map([
  ['poll_queues', 'an idle process looks into all its queues at once'],
  ['locate_live_job', 'of the job nothing is known but its id'],
  ['locate_past_job', 'of the job nothing is known but its id'],
  ['glance_at_queues', 'a sample of each queue of a page'],
  [
    'read_backlogs',
    'a scrape looks into all queues at once, and another name misleads the planner',
  ],
  ['explain_due_jobs', 'it asks the planner, and no queue'],
  ['count_live_jobs', 'those queues of a page that hold more than the sample'],
  ['survey_queues', 'a sample of each queue of a page'],
  ['list_dead_letter_queues', 'a sample of each dead-letter queue'],
  ['find_oldest_due', 'another name misleads the planner'],
  ['find_settled', 'its second half reads errors, which belong to a job'],
])

/** The doctor asks the catalog beside its checks; what names a table of ours is in the store. */
const rooms = ['store', 'doctor'].map((room) => new URL(`../../src/${room}/`, import.meta.url))
const schema = 'statements'
const statements: Statement[] = []
for (const room of rooms) {
  for (const file of await readdir(room)) {
    const module = (await import(new URL(file, room).href)) as Record<string, unknown>
    statements.push(...Object.values(module).filter(isStatement))
  }
}

const client = new pg.Client({ connectionString: inject('databaseUrl') })

beforeAll(async () => {
  await client.connect()
  await client.query(`drop schema if exists ${schema} cascade`)
  await migrateUp(client, { schema })
  await client.query(`select ${schema}.add_history_partition(current_date + 1)`)
  await client.query(
    `insert into ${schema}.queues (name, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
     values ('dead letters', 0, 0, 0)`,
  )
  await client.query('set enable_seqscan = off')
})

afterAll(async () => {
  await client.query(`drop schema ${schema} cascade`)
  await client.end()
})

function textOf(statement: Statement): string {
  return statement.sql.replaceAll('{schema}', quoteIdentifier(schema))
}

test('there are statements, and their names are unique', () => {
  const names = statements.map((statement) => statement.name)
  expect(names.length).toBeGreaterThan(30)
  expect(new Set(names).size).toBe(names.length)
})

describe.each(statements.map((statement) => [statement.name, statement] as const))(
  '%s',
  (name, statement) => {
    test('has the parameters that it declares', async () => {
      if (/^\s*explain/.test(statement.sql)) return
      await client.query(`prepare checked as ${textOf(statement)}`)
      const { rows } = await client.query<{ types: string[] }>(
        `select array(select format_type(type, null) from unnest(parameter_types) as type) as types
       from pg_prepared_statements where name = 'checked'`,
      )
      await client.query('deallocate checked')
      const spelled = await client.query<{ types: string[] }>(
        'select array(select format_type(name::regtype, null) from unnest($1::text[]) as name) as types',
        [statement.parameters],
      )
      expect(rows[0]?.types).toEqual(spelled.rows[0]?.types)
    })

    test('uses the indexes that it names', async () => {
      if (statement.indexes.length === 0) return
      const plan = await explain(statement)
      for (const index of statement.indexes) expect(plan).toContain(index)
    })

    test('answers only text, int4 and bool', async () => {
      if (/^\s*explain/.test(statement.sql)) return
      await client.query('begin')
      try {
        const answer = await client.query(textOf(statement), sampleValues(statement))
        const types = answer.fields.map((field) => field.dataTypeID)
        for (const type of types) expect([16, 23, 25]).toContain(type) // bool, int4, text
      } finally {
        await client.query('rollback')
      }
    })

    test('touches jobs and history in one queue only', () => {
      if (!/\{schema\}\.(jobs|history)\b/.test(statement.sql) || NAME_NO_QUEUE.has(name)) return
      const withoutInsert = statement.sql.replaceAll(/insert into \{schema\}\.\w+ \([^)]*\)/g, '')
      const touches = [
        ...withoutInsert.matchAll(/(?:from|update|join) \{schema\}\.(?:jobs|history)\b/g),
      ]
      const named = [...statement.sql.matchAll(/queue_id = (\$1\b|suspects\.queue_id|\$1::int4)/g)]
      expect(named.length).toBeGreaterThanOrEqual(Math.min(1, touches.length))
      expect(statement.sql).not.toMatch(/queue_id = \$[2-9]/)
    })
  },
)

async function explain(statement: Statement): Promise<string> {
  const values = sampleValues(statement)
  const answer = await client.query<{ 'QUERY PLAN': string }>(
    `explain (costs off) ${textOf(statement)}`,
    values,
  )
  const plan = answer.rows.map((row) => row['QUERY PLAN']).join('\n')
  // A partition's index has a name of its own.
  return plan.replaceAll(/history_\d{8}_queue_id_id_idx/g, 'history_of_job')
}

function sampleValues(statement: Statement): unknown[] {
  return statement.parameters.map((type, index) => {
    if (type.endsWith('[]')) return '{1,2,3}'
    if (type === 'bool') return false
    if (type === 'int4' && index === 0) return 2 // another queue than the dead-letter queue
    if (type === 'text') return sampleText(statement, index)
    return 1
  })
}

/** What a statement's casts ask for: JSON, an array, a retry policy; else any text. */
function sampleText(statement: Statement, index: number): string {
  const isJson = statement.sql.includes(`$${index + 1}::text::jsonb`)
  if (isJson) return '[]'
  if (statement.sql.includes(`$${index + 1}::text::text[]`)) return '{sample}'
  if (statement.sql.includes(`$${index + 1}::text::{schema}.retry_policy`)) return 'constant'
  return statement.name.includes('partition') ? '20200101' : 'sample'
}
