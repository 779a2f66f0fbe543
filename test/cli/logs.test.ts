import { gate } from '../queue/arrange.ts'
import { expect, test, until } from '../support/fixtures.ts'
import { json, lines } from './arrange.ts'
import { Millrace, millrace } from './millrace.ts'

const AT = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}`

test('jobs show tells the progress and the end of the log', async ({ openQueue, schema }) => {
  const queue = openQueue((_job, { progress, log }) => {
    progress({ percent: 100 })
    for (let line = 1; line <= 12; line++) log(`line ${line}`, { line })
  })
  const { id } = await queue.enqueue({})
  await queue.drain()
  const shown = await millrace(['jobs', 'show', id], { schema })
  expect(shown.stdout).toMatch(new RegExp(`Progress, ${AT}\n  {\n    "percent": 100\n  }\n`))
  expect(shown.stdout).toMatch(
    new RegExp(
      `Log \\(all of it: millrace jobs logs ${id}\\)\n  ${AT}  run 1  line 3  {"line":3}\n`,
    ),
  )
  expect(shown.stdout).toContain('line 12  {"line":12}\n')
  expect(await json(['jobs', 'show', id], { schema })).toMatchObject({
    progress: { percent: 100 },
  })
})

test('jobs logs shows the lines of all runs, the last so many, and where some are missing', async ({
  openQueue,
  schema,
  rows,
}) => {
  const queue = openQueue((_job, { log }) => {
    log('begins \u001b[2J', { file: 'a\nb' })
    for (let line = 2; line <= 5; line++) log(`line ${line}`)
  })
  const { id } = await queue.enqueue({})
  await queue.drain()
  await rows('delete from {schema}.job_logs where number in (3, 4)')
  const all = await millrace(['jobs', 'logs', id], { schema })
  expect(all).toMatchObject({ code: 0, stderr: '' })
  const said = lines(all)
  expect(said[0]).toMatch(new RegExp(`^${AT}  run 1  begins ·\\[2J  {"file":"a\\\\nb"}$`))
  expect(said[1]).toMatch(/ {2}run 1 {2}line 2$/)
  expect(said[2]).toBe('… 2 lines not kept')
  expect(said[3]).toMatch(/line 5$/)
  const last = await json(['jobs', 'logs', id, '-n', '1'], { schema })
  expect(last).toMatchObject({ lines: [{ number: 5, attempt: 1, message: 'line 5' }] })
})

test('jobs logs says when there is nothing, or no such job', async ({ queue, schema }) => {
  const { id } = await queue.enqueue({})
  const silent = await millrace(['jobs', 'logs', id], { schema })
  expect(silent).toMatchObject({
    code: 0,
    stdout: '',
    stderr: `Job ${id} has written nothing to its log.\n`,
  })
  const none = await millrace(['jobs', 'logs', '987654'], { schema })
  expect(none.code).toBe(1)
  expect(none.stderr).toContain('There is no job 987654')
})

test('jobs logs --follow goes on until the job has ended', async ({
  openQueue,
  receive,
  schema,
}) => {
  const [goOn, end] = [gate(), gate()]
  const queue = openQueue(async (_job, { log }) => {
    log('first')
    await goOn.opened
    log('second')
    await end.opened
    log('last')
  })
  const { id } = await queue.enqueue({})
  receive(queue)
  await until(async () => (await queue.logs(id)).length === 1)
  const following = new Millrace(['jobs', 'logs', id, '--follow', '--json'], { schema })
  await following.says('first')
  goOn.open()
  await following.says('second')
  end.open()
  const ended = await following.ended
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  const said = lines(ended).map((line) => (JSON.parse(line) as { message: string }).message)
  expect(said).toEqual(['first', 'second', 'last'])
})
