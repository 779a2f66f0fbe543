import { expect, test } from '../support/fixtures.ts'
import { json, lines, stock } from './arrange.ts'
import { millrace } from './millrace.ts'

test('says of each queue how quickly it is worked off', async ({ openQueue, schema }) => {
  await stock(openQueue)
  const shown = await millrace(['stats'], { schema })
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  const [title, ...rows] = lines(shown)
  expect(title).toMatch(/^queue +ready +oldest +done in +enqueued +finished +failed runs +jobs\/s/)
  expect(rows.map((row) => row.split(/ {2,}/)[0])).toEqual(['emails', 'emails-dead', 'reports'])
  expect(rows[0]).toMatch(/^emails +1 +.+ 2 +1 +50\.0 %/)
  const answer = (await json(['stats'], { schema })) as { queues: unknown[] }
  expect(answer.queues).toMatchObject([
    { queue: 'emails', total: { counts: { finished: 1, deadLettered: 1 } }, backlog: { ready: 1 } },
    { queue: 'emails-dead', backlog: { ready: 1, drainMs: null } },
    { queue: 'reports', total: { counts: { failed: 1 } }, backlog: { ready: 0 } },
  ])
})

test('says of one queue what happened minute by minute', async ({ openQueue, schema }) => {
  await stock(openQueue)
  const shown = await millrace(['stats', 'emails', '--since', '15m'], { schema })
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  expect(shown.stdout).toMatch(
    /^1 job is ready, the oldest for .+; at .+ jobs\/s they take .+\.\n\n/,
  )
  expect(shown.stdout).toMatch(/\n\d{4}-\d\d-\d\d \d\d:\d\d +/)
  expect(shown.stdout).toMatch(/\nall +2 +1 +50\.0 % /)
  const answer = await json(['stats', 'emails', '--by', 'hour'], { schema })
  expect(answer).toMatchObject({ queue: 'emails', total: { failureRate: 0.5 } })
})

test('counts what a command did that ended at once', async ({ schema }) => {
  const enqueued = await millrace(['enqueue', 'emails', '{}', '--json'], { schema })
  const { id } = JSON.parse(enqueued.stdout) as { id: string }
  await millrace(['jobs', 'cancel', id], { schema })
  const answer = await json(['stats', 'emails'], { schema })
  expect(answer).toMatchObject({ total: { counts: { enqueued: 1, cancelled: 1 } } })
})

test('refuses a queue that is not there, and times that are none', async ({
  openQueue,
  schema,
}) => {
  await stock(openQueue)
  const unknown = await millrace(['stats', 'emials'], { schema })
  expect(unknown).toMatchObject({ code: 1, stdout: '' })
  expect(unknown.stderr).toContain('did you mean emails?')
  const wrong = await millrace(['stats', '--since', 'ages'], { schema })
  expect(wrong).toMatchObject({ code: 2, stdout: '' })
})
