import { cpSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe } from 'vitest'
import { expect, test } from '../support/fixtures.ts'
import { MAIN, Millrace, millrace } from './millrace.ts'
import { emails, makeProject, PROJECT, project, queues, write } from './modules.ts'

const hasTypes = 'typescript' in process.features && process.features.typescript !== false

const cwd = project

beforeAll(makeProject)

describe('what cannot be worked on is said, and nothing is done', () => {
  const cases: [
    what: string,
    name: string,
    content: string | undefined,
    sentence: string,
    code?: number,
  ][] = [
    [
      'a file that is not there',
      './not-there.js',
      undefined,
      'There is no module ./not-there.js here.',
    ],
    ['an extension that is left away', './one', undefined, 'did you mean ./one.js?'],
    [
      'a package that is not there',
      'not-there',
      undefined,
      'There is no file and no package not-there here.',
    ],
    ['a folder', './node_modules', undefined, './node_modules is a folder'],
    [
      'a module that throws',
      'throws.js',
      'throw new Error("boom at import")',
      'throws.js failed while it was loaded:\nError: boom at import\n    at file://',
    ],
    [
      'one that throws what is no error',
      'odd.js',
      'throw 42',
      'odd.js failed while it was loaded:\nit threw 42',
    ],
    [
      'one that imports what is not there',
      'missing.js',
      'import "not-there"',
      "missing.js cannot be loaded: Cannot find package 'not-there'",
    ],
    [
      'one that is no JavaScript',
      'syntax.js',
      'export default {',
      'syntax.js is not valid JavaScript (Unexpected end of input); to see where: node --check syntax.js',
    ],
    [
      'one that never comes',
      'stuck.js',
      'await new Promise(() => {})',
      'stuck.js was not loaded: it awaits something',
    ],
    [
      'no default export',
      'none.js',
      'export const a = 1, b = 2',
      'none.js has no default export; it exports only a, b. It takes',
    ],
    [
      'no export',
      'empty.js',
      '',
      'it exports nothing. It takes a default export that is a JobQueue',
    ],
    ['a number', 'number.js', 'export default 42', 'The default export of number.js is a number.'],
    ['another object', 'map.js', 'export default new Map()', 'is an object of Map.'],
    [
      'a class',
      'class.js',
      'export default class { work() {} }',
      'is a class: export an object of it',
    ],
    ['an empty array', 'nothing.js', 'export default []', 'exports an empty array'],
    [
      'an array with something else',
      'mixed.js',
      queues(`export default [${emails}, {}]`),
      'Item 1 of the array',
    ],
    [
      'a queue without a worker',
      'workerless.js',
      queues(`export default new JobQueue(db, { queueName: 'x', schema })`),
      'without a worker',
    ],
    ['a function for no queue', 'function.js', undefined, 'by --queue <name>', 2],
    ['a concurrency', 'one.js', undefined, '--concurrency', 2],
    ['a lease', 'one.js', undefined, '--lease-timeout cannot be', 2],
    [
      'a queue that is not exported',
      'two.js',
      undefined,
      'exports no queue "faxes"; it exports emails, thumbs',
      2,
    ],
    [
      'a database for queues that have one',
      'one.js',
      undefined,
      '--database-url does not apply',
      2,
    ],
  ]
  const flags: Record<string, string[]> = {
    'a concurrency': ['--concurrency', '0'],
    'a lease': ['--lease-timeout', '1ms'],
    'a queue that is not exported': ['--queue', 'faxes'],
    'a database for queues that have one': ['--database-url', 'postgres://localhost/x'],
  }
  test.for(cases)('%s', async ([what, name, content, sentence, code = 1], { schema, rows }) => {
    if (content !== undefined) write(name, content)
    const command = what.includes('that') ? 'drain' : 'work' // both load alike
    const ended = await millrace([command, name, ...(flags[what] ?? [])], { schema, cwd })
    expect(ended.stderr).toContain(sentence)
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(await rows('select name from {schema}.queues')).toEqual([])
  })

  test.skipIf(hasTypes)('TypeScript where Node.js does not run it', async () => {
    write('typed.ts', 'export default (job: unknown) => job')
    write('untyped.js', 'import "./typed.ts"')
    const typed = await millrace(['work', 'typed.ts', '--queue', 'q'], { cwd })
    expect(typed).toMatchObject({ code: 1, stdout: '' })
    expect(typed.stderr).toContain(
      `typed.ts is TypeScript, which this Node.js (${process.version}) cannot run: use Node.js 22.18 or newer, build it first and name the .js file, or run: node --import tsx `,
    )
    const untyped = await millrace(['work', 'untyped.js', '--queue', 'q'], { cwd })
    expect(untyped.stderr).toContain('untyped.js imports TypeScript, which this Node.js')
  })

  test.skipIf(!hasTypes)('TypeScript is run where Node.js does that', async ({ schema }) => {
    write('typed.ts', 'export default (job: unknown) => job')
    expect(await millrace(['drain', 'typed.ts', '--queue', 'q'], { cwd, schema })).toMatchObject({
      code: 0,
    })
  })

  test('a schema that is not there', async () => {
    const ended = await millrace(['work', 'one.js'], { cwd, schema: 'nobody has this' })
    expect(ended.code).toBe(1)
    expect(ended.stderr).toContain('nobody has this')
    expect(ended.stderr).toContain('millrace migrate up')
  })
})

describe('work', () => {
  test('runs the queues that a module exports, until SIGTERM', async ({
    schema,
    openQueue,
    untilRow,
  }) => {
    const doing = new Millrace(['work', './two.js', '--concurrency', '3'], { schema, cwd })
    await doing.says('This process works as worker')
    for (const queueName of ['emails', 'thumbs']) await openQueue({ queueName }).enqueue({})
    await untilRow(
      `select count(*) from {schema}.history where outcome = 'finished' having count(*) = 2`,
    )
    const { code, stdout, stderr } = await doing.kill('SIGTERM')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toContain('Queues    emails, thumbs (3 jobs at once each)')
    expect(stderr).toContain('Database  the one that ./two.js opens')
    expect(stderr.match(/This process works as worker/g)).toHaveLength(1)
    expect(stderr).toContain('Stopping: no job is running.')
    expect(stderr.trim()).toMatch(/Stopped\.$/)
  })

  test('runs one of them when that is asked for', async ({ schema, rows }) => {
    const doing = new Millrace(['work', 'two.js', '--queue', 'thumbs'], { schema, cwd })
    await doing.says('This process works as worker')
    expect(await doing.kill('SIGINT')).toMatchObject({ code: 0 })
    expect(await rows('select name from {schema}.queues')).toEqual([{ name: 'thumbs' }])
  })

  test('runs a worker function on the database that is named, and never shows its password', async ({
    schema,
    databaseUrl,
    openQueue,
    untilRow,
  }) => {
    const queue = openQueue({ queueName: 'emails' })
    const { id } = await queue.enqueue('bad', { maxRetries: 0 })
    const doing = new Millrace(['work', 'function.js', '-q', 'emails', '-v'], { schema, cwd })
    await untilRow(`select id from {schema}.history where outcome = 'failed'`)
    const { code, stdout, stderr } = await doing.kill('SIGTERM')
    expect(code).toBe(0)
    expect(stderr).toContain(`Failed job ${id} of queue "emails" (run 1) for good: Error: no good.`)
    expect(stderr).toContain(`Started job ${id} of queue "emails" (run 1).`)
    const { password, port } = new URL(databaseUrl)
    expect(stderr).toContain(`on 127.0.0.1:${port}`)
    expect(stdout + stderr).not.toContain(password)
  })

  test('leaves the settings of a stored queue as they are', async ({ schema, openQueue, rows }) => {
    const settings = { queueName: 'q', dlq: 'dead', fifo: true, keepFinished: false } as const
    const queue = openQueue(() => {}, { ...settings, baseRetryDelay: '7s', retryJitter: 0.5 })
    await queue.drain()
    const before = await rows('select * from {schema}.queues order by id')
    expect(await millrace(['drain', 'function.js', '-q', 'q'], { schema, cwd })).toMatchObject({
      code: 0,
    })
    const changing = ['owner_id', 'rewind']
    const kept = (found: Record<string, unknown>[]) =>
      found.map((row) => Object.entries(row).filter(([name]) => !changing.includes(name)))
    expect(kept(await rows('select * from {schema}.queues order by id'))).toEqual(kept(before))
  })

  test('logs JSON lines for machines', async ({ schema, openQueue, untilRow }) => {
    await openQueue({ queueName: 'emails' }).enqueue('bad', { maxRetries: 0 })
    const doing = new Millrace(['work', 'one.js', '--json'], { schema, cwd })
    await untilRow(`select id from {schema}.history where outcome = 'failed'`)
    await doing.says('job.failed')
    const { stdout } = await doing.kill('SIGTERM')
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string })
    expect(lines[0]).toMatchObject({ event: 'work.started', queues: ['emails'], concurrency: 10 })
    const events = lines.map(({ event }) => event)
    expect(events).toEqual(
      expect.arrayContaining([
        'worker.registered',
        'job.failed',
        'work.stopping',
        'worker.stopped',
      ]),
    )
    expect(lines.find(({ event }) => event === 'job.failed')).toMatchObject({
      level: 'error',
      queueName: 'emails',
      error: { message: 'no good' },
    })
  })

  test('lets what runs finish', async ({ schema, openQueue, rows }) => {
    await openQueue({ queueName: 'q' }).enqueue(1)
    const doing = new Millrace(['work', 'slow.js', '-q', 'q', '-v'], { schema, cwd })
    await doing.says('Started job')
    const { code, stderr } = await doing.kill('SIGTERM')
    expect(code).toBe(0)
    expect(stderr).toContain(
      'Stopping: waiting up to 25.0 s for 1 running job. Once more ends it at once.',
    )
    expect(await rows('select outcome::text from {schema}.history')).toEqual([
      { outcome: 'finished' },
    ])
  })

  test.for([
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGINT', 'SIGTERM', 143],
    ['SIGINT', 'SIGINT', 130],
  ] as const)(
    'ends at once at %s and then %s',
    async ([first, second, code], { schema, openQueue }) => {
      await openQueue({ queueName: 'q' }).enqueue(1)
      const doing = new Millrace(['work', 'deaf.js', '-q', 'q', '-v'], { schema, cwd })
      await doing.says('Started job')
      doing.process.kill(first)
      await doing.says('Stopping: waiting')
      // A second Ctrl-C within a second is taken for the echo of npm.
      const again = setInterval(() => doing.process.kill(second), 100)
      const ended = await doing.ended
      clearInterval(again)
      expect(ended.code).toBe(code)
    },
  )

  test('gives back what does not end in its time', async ({ schema, openQueue, rows }) => {
    await openQueue({ queueName: 'q' }).enqueue(1)
    const given = ['-q', 'q', '-v', '--shutdown-timeout', '100ms']
    const doing = new Millrace(['work', 'deaf.js', ...given], { schema, cwd })
    await doing.says('Started job')
    expect(await doing.kill('SIGTERM')).toMatchObject({ code: 0 })
    expect(await rows('select claimed_by, attempt from {schema}.jobs')).toEqual([
      { claimed_by: null, attempt: 0 },
    ])
  })

  test('uses the copy of the package that the module has', async ({
    schema,
    openQueue,
    untilRow,
  }) => {
    const copy = path.join(project, 'node_modules/millrace-copy')
    mkdirSync(copy)
    cpSync(path.join(path.dirname(MAIN), '..'), path.join(copy, 'dist'), { recursive: true })
    cpSync(path.join(PROJECT, 'package.json'), path.join(copy, 'package.json'))
    write('other-copy.js', queues(`export default ${emails}`, 'millrace-copy'))
    await openQueue({ queueName: 'emails' }).enqueue({})
    const doing = new Millrace(['work', 'other-copy.js'], { schema, cwd })
    await untilRow(`select id from {schema}.history where outcome = 'finished'`)
    expect(await doing.kill('SIGTERM')).toMatchObject({ code: 0, stdout: '' })
    const failing = await millrace(['work', 'other-copy.js'], { schema: 'nobody has this', cwd })
    expect(failing).toMatchObject({ code: 1, stdout: '' })
    expect(failing.stderr).toMatch(
      /^The queues of other-copy\.js cannot be worked on: .*nobody has this/m,
    )
  })
})
