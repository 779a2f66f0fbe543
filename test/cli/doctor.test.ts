import { mkdtempSync } from 'node:fs'
import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { describe, inject } from 'vitest'
import { quoteIdentifier } from '../../src/core/identifiers.ts'
import { CHECKS } from '../../src/doctor/checks.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import { widthOf } from '../../src/cli/terminal/printable.ts'
import { expect, test } from '../support/fixtures.ts'
import { lines } from './arrange.ts'
import { hasTerminals, millrace } from './millrace.ts'

interface Answer {
  readonly findings: Finding[]
  readonly ok: boolean
}

const AGE = `update {schema}.jobs set run_at = run_at - interval '1 hour'`

describe('millrace doctor', () => {
  test('tells what is well, in groups', async ({ schema }) => {
    const ended = await millrace(['doctor'], { schema })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const [first, ...others] = lines(ended)
    expect(first).toMatch(
      new RegExp(`^Schema ${schema} in the database postgres on 127\\.0\\.0\\.1:`),
    )
    expect(others.filter((line) => /^\w+$/.test(line))).toEqual([
      ...['Connection', 'Schema', 'Queues', 'Upkeep'],
    ])
    for (const { name } of CHECKS) {
      expect(others.some((line) => new RegExp(`^  \\w+ +${name} +\\S`).test(line))).toBe(true)
    }
    expect(others).toContainEqual(expect.stringMatching(/^ {2}ok {7}versions {4}PostgreSQL \d+\./))
  })

  test('tells what is wrong with its remedy below, and exits with 1', async ({ schema, rows }) => {
    await rows('drop index {schema}.marks_of_claim')
    const ended = await millrace(['doctor'], { schema })
    expect(ended).toMatchObject({ code: 1, stderr: '' })
    expect(ended.stdout).toContain(
      [
        '  error    drift       The index marks_of_claim is missing.',
        '                       → As the owner of the schema:',
        `                         create index concurrently marks_of_claim on ${quoteIdentifier(schema)}.marks (worker_id, queue_id, claim_no);`,
      ].join('\n'),
    )
    expect(lines(ended).at(-1)).toMatch(/^1 error/)
  })

  test('lets warnings pass, but for --strict', async ({ schema, rows, queue }) => {
    await queue.enqueue({ to: 'ada@example.org' })
    await rows(AGE)
    const lax = await millrace(['doctor'], { schema })
    expect(lax).toMatchObject({ code: 0, stderr: '' })
    expect(lax.stdout).toMatch(/^ {2}warning {2}queues {6}Jobs have been due for 1 h 0 min/m)
    expect(lax.stdout).toContain(`millrace jobs list --queue default --schema '${schema}'\n`)
    expect(lax.stdout).not.toContain('ada@')
    expect(await millrace(['doctor', '--strict'], { schema })).toMatchObject({ code: 1 })
  })

  test('answers in JSON', async ({ schema, rows, queue }) => {
    await queue.enqueue(1)
    await rows(AGE)
    const ended = await millrace(['doctor', '--json'], { schema })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const { findings, ok } = JSON.parse(ended.stdout) as Answer
    expect(ok).toBe(true)
    const problem = findings.find(({ check }) => check === 'queues')
    expect(problem).toEqual({
      check: 'queues',
      level: 'warning',
      message: expect.stringContaining('in the queue "default"') as unknown,
      remedy: expect.stringContaining('\nmillrace jobs list --queue default') as unknown,
      details: {
        queue: 'default',
        waitMs: expect.any(Number) as unknown,
        aloneForMs: null,
      },
    })
    const strict = await millrace(['doctor', '--json', '--strict'], { schema })
    expect(strict.code).toBe(1)
    expect((JSON.parse(strict.stdout) as Answer).ok).toBe(false)
  })

  test('looks at the rights of another role', async ({ schema }) => {
    const ended = await millrace(['doctor', '--role', 'pg_monitor'], { schema })
    expect(ended.code).toBe(1)
    expect(ended.stdout).toContain('pg_monitor lacks rights that workers need: ')
    expect(ended.stdout).toContain(
      `grant usage on schema ${quoteIdentifier(schema)} to pg_monitor;`,
    )
  })

  test('leaves a terminal alone, whatever a queue is named', async ({
    schema,
    rows,
    openQueue,
  }) => {
    const evil = '\u001b[2J\u0007\r\nnext\u202etxt'
    await openQueue({ queueName: evil }).enqueue(1)
    await rows(AGE)
    const { stdout } = await millrace(['doctor'], { schema })
    expect(stdout).toContain('next')
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  })

  test('says that there is no schema, and what to run', async () => {
    const ended = await millrace(['doctor', '--schema', 'not there'])
    expect(ended).toMatchObject({ code: 1, stderr: '' })
    expect(ended.stdout).toContain(`millrace migrate up --schema 'not there'\n`)
    expect(lines(ended).at(-1)).toMatch(/^1 error(, \d+ warnings?)?; \d+ skipped\.$/)
  })

  test.skipIf(!hasTerminals())('fits a terminal, in colours', async ({ schema, rows, queue }) => {
    await queue.enqueue(1)
    await rows(AGE)
    const ended = await millrace(['doctor'], {
      ...{ schema, columns: 80, env: { TERM: 'xterm-256color' } },
    })
    expect(ended.stdout).toContain('\u001b[32mok')
    expect(ended.stdout).toContain('\u001b[33mwarning')
    const shown = stripVTControlCharacters(ended.stdout).split('\r\n')
    const commands = shown.filter((line) => line.startsWith(' '.repeat(25)))
    for (const line of shown.filter((line) => !commands.includes(line)).slice(1)) {
      expect(widthOf(line)).toBeLessThanOrEqual(80)
    }
  })
})

describe('millrace doctor at the door', () => {
  test.each<[string[], number, RegExp]>([
    [['--strikt'], 2, /^Unknown option '--strikt'\. \(Did you mean --strict\?\) Try --help\.$/],
    [['emails'], 2, /^Too many arguments for 'doctor'\./],
    [['--role'], 2, /^Option '--role <name>' argument missing\./],
    [['--role', ''], 2, /'' is invalid\. It takes the name of a role\. Try --help\.$/],
    [
      ['--database-url', 'postgres://a@127.0.0.1:1/x'],
      1,
      /^The server at 127\.0\.0\.1:1 does not answer \(ECONNREFUSED\)/,
    ],
    [['--schema', 'pg_mine'], 2, /^The option "schema" cannot be "pg_mine"; /],
  ])('%j', async (args, code, sentence) => {
    const ended = await millrace(['doctor', ...args])
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(ended.stderr.trimEnd()).toMatch(sentence)
  })
})

test('the embedded database is looked at as far as it can be', { timeout: 90_000 }, async () => {
  const cwd = mkdtempSync(path.join(inject('scratchFolder'), 'doctor-'))
  const embedded = { databaseUrl: null, cwd }
  expect(await millrace(['doctor'], embedded)).toMatchObject({ code: 1, stdout: '' })
  expect(await millrace(['migrate', 'up'], embedded)).toMatchObject({ code: 0 })
  const ended = await millrace(['doctor', '--json', '--strict'], embedded)
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  const { findings } = JSON.parse(ended.stdout) as Answer
  const skipped = findings.filter(({ level }) => level === 'skipped')
  expect(skipped.map(({ check }) => check)).toEqual(['pooler', 'clock', 'autovacuum', 'snapshots'])
})
