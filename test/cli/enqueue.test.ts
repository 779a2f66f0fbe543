import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, inject } from 'vitest'
import { expect, test } from '../support/fixtures.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { cutCommitAfter, SENT } from '../processes/lossy-network.ts'
import { Millrace, millrace } from './millrace.ts'

const JOBS =
  'select args, metadata, priority, max_retries, run_at > now() as later from {schema}.jobs order by id'

/** A file of its own, with these lines. */
function file(content: string | Buffer, name = 'jobs.jsonl'): string {
  const folder = path.join(inject('scratchFolder'), randomBytes(6).toString('hex'))
  mkdirSync(folder)
  writeFileSync(path.join(folder, name), content)
  return path.join(folder, name)
}
const numbers = (count: number): string =>
  Array.from({ length: count }, (_, index) => `{"n":${index + 1}}\n`).join('')

describe('one job', () => {
  test('is enqueued with its options, and makes its queue', async ({ schema, rows }) => {
    const args = [
      'emails',
      '{"to":"ada"}',
      '--delay',
      '2h',
      '--priority',
      '0',
      '--max-retries',
      '7',
    ]
    const ended = await millrace(['enqueue', ...args, '--metadata', '{"tenant":7}'], { schema })
    expect(ended).toMatchObject({ code: 0, stderr: 'Made the queue emails.\n' })
    expect(ended.stdout).toMatch(/^Enqueued job \d+ into emails\.\n$/)
    expect(await rows(JOBS)).toEqual([
      { args: { to: 'ada' }, metadata: { tenant: 7 }, priority: 0, max_retries: 7, later: true },
    ])
  })

  test('is answered to machines with its id', async ({ schema, rows }) => {
    const { stdout, stderr } = await millrace(['enqueue', 'q', 'null', '--json'], { schema })
    const [job] = await rows('select id::text from {schema}.jobs')
    expect(JSON.parse(stdout)).toMatchObject({ id: job?.['id'], queueName: 'q', isNewQueue: true })
    expect(stderr).toBe('')
  })

  test('goes into a stored FIFO queue as that wants it', async ({ schema, openQueue }) => {
    const queue = openQueue({ queueName: 'ledger', fifo: true })
    await queue.enqueue(1)
    expect(await millrace(['enqueue', 'ledger', '2'], { schema })).toMatchObject({ code: 0 })
    const refused = await millrace(['enqueue', 'ledger', '3', '--priority', '1'], { schema })
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toMatch(/^--priority cannot be 1; a FIFO queue .*\n$/)
    expect(await queue.counts()).toMatchObject({ available: 2 })
  })

  test('of a queue whose name looks misspelt is refused', async ({ schema, openQueue, rows }) => {
    await openQueue({ queueName: 'emails' }).enqueue(1)
    const slip = await millrace(['enqueue', 'email', '2'], { schema })
    expect(slip).toMatchObject({ code: 2, stdout: '' })
    expect(slip.stderr).toContain('There is no queue email; did you mean emails?')
    expect(await millrace(['enqueue', 'email', '2', '--create'], { schema })).toMatchObject({
      code: 0,
    })
    expect(await rows('select name from {schema}.queues order by name')).toEqual([
      { name: 'email' },
      { name: 'emails' },
    ])
  })
})

describe('what is wrong is said in one sentence, and nothing is enqueued', () => {
  const good = ['enqueue', 'q', '{}']
  test.for<[what: string, args: string[], sentence: string, code?: number]>([
    ['no arguments', ['enqueue'], "Missing required argument 'queue'"],
    ['no job', ['enqueue', 'q'], 'Nothing to enqueue'],
    ['an empty name', ['enqueue', '', '1'], 'The queue cannot be ""'],
    ['no JSON', ['enqueue', 'q', '{to:1}'], 'The job is refused. It is not JSON: '],
    ['an empty text', ['enqueue', 'q', ''], 'The job is refused. It is not JSON: '],
    ['\\u0000', ['enqueue', 'q', '"\\u0000"'], 'which PostgreSQL cannot store'],
    [
      'an array where an envelope is expected',
      ['enqueue', 'q', '[]', '--envelope'],
      'It is not an object',
    ],
    ['no args', ['enqueue', 'q', '{"delay":1}', '--envelope'], 'It has no "args"'],
    ['an unknown name', ['enqueue', 'q', '{"args":1,"dely":1}', '--envelope'], 'no option "dely"'],
    ['a priority', [...good, '--priority', '10'], '--priority cannot be 10; it takes an integer'],
    ['a number', [...good, '--max-retries', 'x'], '--max-retries cannot be "x"'],
    ['a duration', [...good, '--delay', '5'], '--delay cannot be'],
    ['a policy', [...good, '--retry-policy', 'x'], '--retry-policy cannot be "x"'],
    [
      'an instant without its zone',
      [...good, '--run-at', '2030-01-01T00:00'],
      '--run-at cannot be',
    ],
    ['a day that never comes', [...good, '--run-at', '2030-02-30T00:00Z'], '--run-at cannot be'],
    [
      'two times',
      [...good, '--run-at', '2030-01-01T00:00Z', '--delay', '1s'],
      'either delay or runAt',
    ],
    ['metadata', [...good, '--metadata', '{'], '--metadata is not JSON'],
    ['metadata that is no object', [...good, '--metadata', '[1]'], '--metadata cannot be'],
    ['two sources', [...good, '--file', 'x'], 'not both'],
    ['--atomic with one job', [...good, '--atomic'], '--atomic goes with many lines'],
    ['a line that is none', ['enqueue', 'q', '-', '--from-line', '0'], '--from-line takes'],
    ['FIFO with a delay', [...good, '--fifo', '--delay', '1s'], '--delay cannot be'],
    [
      'a file that is not there',
      ['enqueue', 'q', '--file', 'no.jsonl'],
      'The file no.jsonl is not there',
      1,
    ],
    ['a folder', ['enqueue', 'q', '--file', '.'], '. is a folder', 1],
    [
      'a file that cannot be made',
      ['enqueue', 'q', '-', '--errors', 'no/file'],
      'The file no/file is not there',
      1,
    ],
  ])('%s', async ([_what, args, sentence, code = 2], { schema, rows }) => {
    const ended = await millrace(args, { schema })
    expect(ended.stderr).toContain(sentence)
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(ended.stderr.trim().split('\n')).toHaveLength(1)
    expect(await rows('select id from {schema}.jobs')).toEqual([])
  })

  test('a schema that is not there', async () => {
    const ended = await millrace(['enqueue', 'q', '1'], { schema: 'nobody has this' })
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toContain("migrate up --schema 'nobody has this'")
  })
})

describe('a file of jobs', () => {
  const mixed = Buffer.concat([
    Buffer.from('\ufeff{"n":1}\r\n\r\n{n:2}\n"\\u0000"\n'),
    Buffer.from([0x22, 0xff, 0x22, 0x0a]),
    Buffer.from('{"n":6}'),
  ])

  test('goes in but for its bad lines, which are named', async ({ schema, rows }) => {
    const jobs = file(mixed)
    const errors = file('', 'errors.jsonl')
    const ended = await millrace(['enqueue', 'q', '--file', jobs, '--errors', errors], { schema })
    expect(ended.code).toBe(3)
    expect(ended.stdout).toBe('Enqueued 2 jobs into q; 3 lines were refused.\n')
    expect(ended.stderr).toMatch(
      /^Line 3: It is not JSON: .* {2}\{n:2\}\nLine 4: args contains \\u0000, .*\nLine 5: It is not UTF-8\. .*\nMade the queue q\.\n$/,
    )
    const written = readFileSync(errors, 'utf8').trim().split('\n')
    expect(written.map((line) => JSON.parse(line) as object)).toMatchObject([
      { line: 3, text: '{n:2}' },
      { line: 4, text: '"\\u0000"' },
      { line: 5, reason: 'It is not UTF-8.' },
    ])
    expect((await rows(JOBS)).map((row) => row['args'])).toEqual([{ n: 1 }, { n: 6 }])
  })

  test('is told to machines', async ({ schema }) => {
    const ended = await millrace(['enqueue', 'q', '--file', file(mixed), '--json'], { schema })
    expect(ended).toMatchObject({ code: 3, stderr: '' })
    expect(JSON.parse(ended.stdout)).toMatchObject({
      queueName: 'q',
      isDone: true,
      enqueued: 2,
      refused: 3,
      blank: 1,
      errors: [{ line: 3 }, { line: 4 }, { line: 5 }],
    })
  })

  test('with a job of which all is said on each line', async ({ schema, rows }) => {
    const lines = [
      '{"args":{"n":1}}',
      '{"args":{"n":2},"priority":1,"runAt":"2100-01-01T00:00:00Z","metadata":{"a":1}}',
      '{"args":3,"runAt":"tomorrow"}',
      '{"args":4,"priority":11}',
      '{"args":5,"delay":"1h","runAt":"2100-01-01T00:00:00Z"}',
    ]
    const given = ['--envelope', '--max-retries', '1', '--delay', '1h']
    const ended = await millrace(['enqueue', 'q', '--file', file(lines.join('\n')), ...given], {
      schema,
    })
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain(
      'Line 3: The option "runAt" cannot be "tomorrow"; it takes a time',
    )
    expect(ended.stderr).toContain('Line 4: The option "priority" cannot be 11;')
    expect(ended.stderr).toContain('Line 5: The option "delay" cannot be "1h"; pass either')
    expect(await rows(JOBS)).toMatchObject([
      { args: { n: 1 }, max_retries: 1, later: true, metadata: {} },
      { args: { n: 2 }, max_retries: 1, later: true, priority: 1, metadata: { a: 1 } },
    ])
  })

  test('of which nothing is good is a failure', async ({ schema }) => {
    const ended = await millrace(['enqueue', 'q', '--file', file('a\nb\n')], { schema })
    expect(ended).toMatchObject({
      code: 1,
      stdout: 'Enqueued 0 jobs into q; 2 lines were refused.\n',
    })
    expect(ended.stderr).not.toContain('Made')
  })

  test('that is empty is none', async ({ schema }) => {
    const ended = await millrace(['enqueue', 'q', '--file', file('\n \n')], { schema })
    expect(ended.code).toBe(0)
    expect(ended.stdout).toMatch(/^Nothing to enqueue: there is no job in /)
  })

  test('with many bad lines shows ten of them', async ({ schema }) => {
    const ended = await millrace(['enqueue', 'q', '-'], {
      schema,
      input: `${'x\n'.repeat(500)}1\n`,
    })
    expect(ended.code).toBe(3)
    expect(ended.stderr.match(/^Line /gm)).toHaveLength(10)
    expect(ended.stderr).toContain('… and 490 more lines; pass --errors <path>')
  })

  test('is not overwritten by its errors', async ({ schema }) => {
    const jobs = file('x\n')
    const ended = await millrace(['enqueue', 'q', '--file', jobs, '--errors', jobs], { schema })
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(readFileSync(jobs, 'utf8')).toBe('x\n')
  })

  test('is gone on with where it ended', async ({ schema, rows }) => {
    const from = ['--file', file(numbers(5_000)), '--from-line', '4999']
    expect(await millrace(['enqueue', 'q', ...from], { schema })).toMatchObject({ code: 0 })
    expect((await rows(JOBS)).map((row) => row['args'])).toEqual([{ n: 4_999 }, { n: 5_000 }])
  })

  test('keeps its order', async ({ schema, rows }) => {
    await millrace(['enqueue', 'q', '--file', file(numbers(7_000)), '--fifo'], { schema })
    const inOrder = `select count(*)::int4, bool_and((args->>'n')::int4 = place) as "isInOrder" from (
      select args, row_number() over (order by id) as place from {schema}.jobs) as placed`
    expect(await rows(inOrder)).toEqual([{ count: 7_000, isInOrder: true }])
    expect(await rows('select is_fifo from {schema}.queues')).toEqual([{ is_fifo: true }])
  })
})

describe('all lines or none', () => {
  const bad = `${numbers(5_000)}x\n${numbers(10)}y\n`
  test.for(['file', 'pipe'])(
    'from a %s: none with a bad line',
    async (source, { schema, rows }) => {
      const from = source === 'file' ? ['--file', file(bad)] : ['-']
      const input = source === 'file' ? undefined : bad
      const ended = await millrace(['enqueue', 'q', ...from, '--atomic'], { schema, input })
      expect(ended.code).toBe(1)
      expect(ended.stdout).toBe(
        'Enqueued 0 jobs into q; 2 lines were refused, as --atomic wants all or none.\n',
      )
      expect(ended.stderr).toMatch(/^Line 5001: .*\nLine 5012: .*\n$/)
      expect(await rows('select id from {schema}.jobs')).toEqual([])
      expect(await rows('select name from {schema}.queues')).toEqual([])
    },
  )

  test.for(['file', 'pipe'])(
    'from a %s: all when all are good',
    async (source, { schema, rows }) => {
      const from = source === 'file' ? ['--file', file(numbers(5_000))] : ['-']
      const input = source === 'file' ? undefined : numbers(5_000)
      const ended = await millrace(['enqueue', 'q', ...from, '--atomic'], { schema, input })
      expect(ended).toMatchObject({ code: 0, stderr: 'Made the queue q.\n' })
      expect(
        await rows(
          'select count(*)::int4, count(distinct xmin::text)::int4 as transactions from {schema}.jobs',
        ),
      ).toEqual([{ count: 5_000, transactions: 1 }])
    },
  )
})

describe('an import that ends early', () => {
  test('by Ctrl-C says what is in and where to go on', async ({ schema, untilRow, rows }) => {
    const doing = new Millrace(['enqueue', 'q', '-'], { schema, isInteractive: true })
    doing.process.stdin?.write(numbers(3_000))
    await untilRow('select count(*)::int4 from {schema}.jobs having count(*) = 3000')
    doing.process.stdin?.write('{"n":3001}') // a line without its end is none yet
    const ended = await doing.kill('SIGINT')
    expect(ended.code).toBe(130)
    expect(ended.stdout).toMatch(/^Enqueued 3,000 jobs into q/)
    expect(ended.stderr).toContain(
      'Stopped. Lines 1 to 3000 are done with. Go on with --from-line 3001.',
    )
    expect(await rows('select id from {schema}.jobs')).toHaveLength(3_000)
  })

  test('by SIGTERM with --atomic leaves nothing', async ({ schema, untilRow, rows }) => {
    const doing = new Millrace(['enqueue', 'q', '-', '--atomic'], { schema, isInteractive: true })
    doing.process.stdin?.write(numbers(3_000))
    const isInserting = `select 1 from pg_stat_activity where state = 'idle in transaction'
      and query like '%' || $1 || '%'`
    await untilRow(isInserting, [schema])
    const ended = await doing.kill('SIGTERM')
    expect(ended).toMatchObject({ code: 143 })
    expect(ended.stderr).toContain('Stopped. Nothing went in.')
    expect(await rows('select id from {schema}.jobs')).toEqual([])
  })

  test('by a lost answer says which lines are unknown, and sends nothing twice', async ({
    schema,
    databaseUrl,
    rows,
    untilRow,
  }) => {
    await using proxy = await startTcpProxy(databaseUrl)
    const options = { schema, databaseUrl: proxy.url, isInteractive: true }
    const doing = new Millrace(['enqueue', 'q', '-'], options)
    doing.process.stdin?.write(numbers(1_000))
    await untilRow('select count(*)::int4 from {schema}.jobs having count(*) = 1000')
    const cut = proxy.cutAnswerTo(SENT.insert)
    doing.process.stdin?.write('{"n":1001}\nbad\n{"n":1003}\n')
    await cut
    const { code, stdout, stderr } = await doing.ended
    expect(code).toBe(1)
    expect(stdout).toMatch(/^Enqueued 1,000 jobs into q/)
    expect(stderr).toContain('The connection was lost before the answer came (OUTCOME_UNKNOWN).')
    expect(stderr).toContain(
      'Lines 1 to 1000 are done with. Lines 1001 to 1003 (2 jobs) are either all in',
    )
    expect(stderr).toContain('--from-line 1004 if they are there, otherwise with --from-line 1001.')
    expect(await rows('select id from {schema}.jobs')).toHaveLength(1_002)
  })

  test('by a lost answer at its very end is unknown as a whole', async ({
    schema,
    databaseUrl,
  }) => {
    await using proxy = await startTcpProxy(databaseUrl)
    const cut = cutCommitAfter(proxy, SENT.insert)
    const given = ['--file', file(numbers(10)), '--atomic']
    const ended = await millrace(['enqueue', 'q', ...given], { schema, databaseUrl: proxy.url })
    await cut
    expect(ended.code).toBe(1)
    expect(ended.stderr).toContain('Either all 10 jobs are in or none')
  })
})
