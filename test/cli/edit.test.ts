import { describe } from 'vitest'
import { expect, test } from '../support/fixtures.ts'
import { json, stock } from './arrange.ts'
import { millrace } from './millrace.ts'

const STORED = `
  select priority::int4, max_retries::int4 as retries, retry_policy::text as policy, timeout_ms::int4 as timeout,
    run_at <= now() as due, args, metadata
  from {schema}.jobs where id = $1::int8`

describe('millrace jobs edit', () => {
  test('changes a job that waits, and says what', async ({ openQueue, schema, rows }) => {
    const { later } = await stock(openQueue)
    const flags = ['--priority', '0', '--delay', '0s', '--max-retries', '7', '--retry-policy', 'linear']
    const ended = await millrace(['jobs', 'edit', later, ...flags, '--timeout', '9s'], { schema })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toMatch(
      new RegExp(
        `^Changed in job ${later} of reports: retries, retry policy, priority, time, timeout\\.\nIt is due at .*\\.\n$`,
      ),
    )
    const stored = { priority: 0, retries: 7, policy: 'linear', timeout: 9_000, due: true }
    expect(await rows(STORED, [later])).toEqual([{ ...stored, args: null, metadata: {} }])
    await millrace(['jobs', 'edit', later, '--timeout', 'none', '-q', 'reports'], { schema })
    await millrace(['jobs', 'edit', later, '--run-at', '2100-01-31T08:00:00Z'], { schema })
    expect(await rows(STORED, [later])).toMatchObject([{ timeout: null, due: false }])
  }) // prettier-ignore

  test('takes arguments and metadata as JSON, also from standard input', async ({
    openQueue,
    schema,
  }) => {
    const { waiting } = await stock(openQueue)
    const edit = ['jobs', 'edit', waiting]
    const metadata = '{"tenant":7}'
    const changed = await json([...edit, '--args', '{"to":"zoe"}', '--metadata', metadata], { schema })
    expect(changed).toMatchObject({
      ...{ id: waiting, queueName: 'emails', status: 'available' },
      ...{ args: { to: 'zoe' }, metadata: { tenant: 7 } },
    })
    const input = '\ufeff{\n  "to": "zo\u00eb"\n}\n'
    expect(await millrace([...edit, '--args', '-'], { schema, input })).toMatchObject({ code: 0 })
    const record = await openQueue({ queueName: 'emails' }).get(waiting)
    expect(record).toMatchObject({ args: { to: 'zo\u00eb' }, metadata: { tenant: 7 } })
  }) // prettier-ignore

  test('leaves alone what does not wait, and says why', async ({ openQueue, schema }) => {
    const ids = await stock(openQueue)
    for (const [id, sentence] of [
      [ids.finished, `Job ${ids.finished} is finished; only a job that waits can be changed.\n`],
      [ids.failed, `Job ${ids.failed} is failed; only a job that waits can be changed.\n`],
      ['987654', /^There is no job 987654: it never was/],
    ] as const) {
      const ended = await millrace(['jobs', 'edit', id, '--args', '1'], { schema })
      expect(ended).toMatchObject({ code: 1, stdout: '' })
      expect(ended.stderr).toMatch(sentence)
    }
    // A dead letter waits too.
    const dead = await json(['jobs', 'edit', ids.dead, '--args', '{"to":"ada"}'], { schema })
    expect(dead).toMatchObject({ queueName: 'emails-dead', args: { to: 'ada' } })
  })

  test('refuses in a FIFO queue what would move the job', async ({ openQueue, schema }) => {
    const ledger = openQueue({ queueName: 'ledger', fifo: true })
    const { id } = await ledger.enqueue('open')
    for (const flags of [['--priority', '0'], ['--delay', '1h'], ['--run-at', '2100-01-01T00:00Z']]) {
      const ended = await millrace(['jobs', 'edit', id, ...flags], { schema })
      expect(ended).toMatchObject({ code: 2, stdout: '' })
      expect(ended.stderr).toMatch(new RegExp(`^${flags[0]} cannot be .*; a FIFO queue runs its jobs`))
    }
    expect(await json(['jobs', 'edit', id, '--args', '"close"'], { schema })).toMatchObject({
      args: 'close',
    })
  }) // prettier-ignore

  test.each<[string[], RegExp, string?]>([
    [[], /^Change what\? Pass --args, --priority, --delay or another option\./],
    [['--priority', '10'], /^--priority cannot be 10; it takes an integer from 0 to 9\./],
    [['--priority', 'high'], /^--priority cannot be "high"/],
    [['--delay', 'soon'], /^--delay cannot be "soon"; it takes milliseconds/],
    [['--delay', '1s', '--run-at', '2100-01-01T00:00Z'], /^--delay cannot be "1s"; pass either/],
    [['--run-at', 'tomorrow'], /^--run-at cannot be "tomorrow"; it takes a time with its zone/],
    [['--timeout', '0s'], /^--timeout cannot be "0s"; it takes from 1 ms/],
    [['--metadata', '[1]'], /^--metadata cannot be an array of 1; it takes a plain object/],
    [['--metadata', '{'], /^--metadata is not JSON/],
    [['--args', '{to: 1}'], /^--args is not JSON: it takes the arguments of a job/],
    [['--args', '-'], /^Standard input is not JSON: pass the arguments of a job/, 'no'],
    [['--args', '"\\u0000"'], /^args .*remove it/],
    [['--retry-policy', 'never'], /'never' is invalid.*Allowed choices are constant/],
    [['--prio', '1'], /^Unknown option '--prio'/],
  ])('%j is refused before anything is connected', async (flags, sentence, input) => {
    const nowhere = 'postgres://nobody@127.0.0.1:1/nothing'
    const ended = await millrace(['jobs', 'edit', '42', ...flags], { databaseUrl: nowhere, input })
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(sentence)
  })
})
