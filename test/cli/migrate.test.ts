import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync } from 'node:fs'
import path from 'node:path'
import { Client } from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { LATEST_VERSION, migrations } from '../../src/migrations/all.ts'
import { until } from '../support/until.ts'
import { Millrace, millrace } from './millrace.ts'

/** The name of a schema that is not there yet. */
function newSchema(): string {
  return `cli ${randomBytes(4).toString('hex')}`
}

async function sql(text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: inject('databaseUrl') })
  await client.connect()
  try {
    return (await client.query(text)).rows as unknown[]
  } finally {
    await client.end()
  }
}

describe('millrace migrate', () => {
  test('goes up and down again, and says where it is', async () => {
    const schema = newSchema()
    const status = await millrace(['migrate', 'status'], { schema })
    expect(status.stdout).toMatch(
      new RegExp(`^Schema ${schema} in the database postgres on .* is not there`),
    )
    expect(status.code).toBe(4)

    const up = await millrace(['migrate', 'up', '--schema', schema])
    expect(up).toMatchObject({ code: 0, stderr: '' })
    expect(up.stdout).toMatch(/ took \d+ steps?: .*\b1 queue\b.*\.\n$/)
    expect((await millrace(['migrate', 'up'], { schema })).stdout).toMatch(
      /was up to date already\.\n$/,
    )
    expect((await millrace(['migrate', 'status'], { schema })).code).toBe(0)

    const unsure = await millrace(['migrate', 'down', '--to', '0'], { schema })
    expect(unsure).toMatchObject({ code: 2, stdout: '' })
    expect(unsure.stderr).toMatch(
      /all its queues and jobs are lost\. Nobody can be asked here: pass --yes\.\n$/,
    )
    expect((await millrace(['migrate', 'status'], { schema })).code).toBe(0)

    const down = await millrace(['migrate', 'down', '--to', '0', '--yes'], { schema })
    expect(down).toMatchObject({ code: 0, stderr: '' })
    expect(down.stdout).toMatch(/ took \d+ steps?: .*\b1 queue\b.*\.\n$/)
    expect((await millrace(['migrate', 'status'], { schema })).code).toBe(4)
  })

  test('answers in JSON', async () => {
    const schema = newSchema()
    const json = async (...args: string[]): Promise<unknown> =>
      JSON.parse((await millrace(['migrate', ...args, '--json'], { schema })).stdout)
    const latest = LATEST_VERSION
    const steps = migrations.map(({ version, name }) => ({ version, name }))
    expect(await json('status')).toEqual({ schema, current: 0, latest, pending: steps })
    expect(await json('up')).toEqual({ schema, steps })
    expect(await json('up')).toEqual({ schema, steps: [] })
    expect(await json('status')).toEqual({ schema, current: latest, latest, pending: [] })
    expect(await json('down', '--to', '0', '--yes')).toEqual({ schema, steps: steps.toReversed() })
  })

  test('stops waiting for another migration at a signal', async () => {
    const schema = newSchema()
    const client = new Client({ connectionString: inject('databaseUrl') })
    await client.connect()
    try {
      const lock = `select pg_advisory_lock(hashtextextended('millrace migrations of ' || $1, 0))`
      await client.query(lock, [schema])
      const up = new Millrace(['migrate', 'up'], { schema, env: { PGAPPNAME: schema } })
      const tried = `select 1 from pg_stat_activity where application_name = $1 and query ~* '^(commit|rollback)'`
      const isWaiting = async () => (await client.query(tried, [schema])).rows.length > 0
      await until(isWaiting, { what: 'the migration to ask for the lock' })
      expect(await up.kill('SIGTERM')).toEqual({
        ...{ code: 143, signal: null, stdout: '', stderr: 'Stopped before it was done.\n' },
      })
    } finally {
      await client.end()
    }
    expect((await millrace(['migrate', 'status'], { schema })).code).toBe(4)
  })

  test('prints the SQL that does the same, without a database', async () => {
    const schema = newSchema()
    const nowhere = { databaseUrl: 'postgres://nobody@127.0.0.1:1/nothing' }
    const up = await millrace(['migrate', 'up', '--print', '--schema', schema], nowhere)
    expect(up).toMatchObject({ code: 0, stderr: '' })
    await sql(up.stdout)
    expect((await millrace(['migrate', 'status'], { schema })).code).toBe(0)
    const down = await millrace(['migrate', 'down', '--to', '0', '--print'], { ...nowhere, schema })
    await sql(down.stdout)
    expect((await millrace(['migrate', 'status'], { schema })).code).toBe(4)
    const latest = String(LATEST_VERSION)
    const none = await millrace(['migrate', 'up', '--print', '--from', latest], nowhere)
    expect(none.stdout).not.toContain('create')
  })

  test('makes the embedded database, and says that it is used', async () => {
    const cwd = mkdtempSync(path.join(inject('scratchFolder'), 'embedded-'))
    const embedded = { databaseUrl: null, cwd }
    const queues = await millrace(['queues'], embedded)
    expect(queues).toMatchObject({ code: 1, stdout: '' })
    expect(queues.stderr).toBe(
      'No database is named, and there is no embedded one in .millrace/ here. To use a server, pass --database-url ' +
        'or set DATABASE_URL; to make the embedded one, run: millrace migrate up\n',
    )
    expect(existsSync(path.join(cwd, '.millrace'))).toBe(false)
    const up = await millrace(['migrate', 'up'], embedded)
    expect(up).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^Schema millrace in the embedded database in \.millrace\/ took \d+ steps?: 1 queue\b/,
      ) as unknown,
      stderr: 'On the embedded database in .millrace/ (no server is named).\n',
    })
    const status = await millrace(['migrate', 'status', '--json'], embedded)
    expect(status).toMatchObject({ code: 0, stderr: '' })
  }, 120_000) // a new PGlite takes seconds, and on a busy machine many
})
