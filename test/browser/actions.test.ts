import { setTheScene } from './scene.ts'
import { checkAccessibility, expect, takeTroubles, test, until } from './support.ts'

test('a queue is paused and resumed, by button and by key, and the audit says by whom', async ({
  serveDashboard,
  openPage,
  openQueue,
  receive,
  rows,
}) => {
  await setTheScene({ openQueue, receive, rows })
  const url = await serveDashboard()
  const page = await openPage(`${url}queues/emails`)
  await page.click('button:text-is("Pause")')
  expect(await checkAccessibility(page)).toEqual([])
  await page.fill('dialog input[name="reason"]', 'too many <b>bounces</b>')
  await page.click('dialog button:text-is("Pause the queue")')
  await page.waitForSelector('main >> text=too many <b>bounces</b>')
  const paused = `select paused_by from {schema}.queues where name = 'emails'`
  expect(await rows(paused)).toEqual([{ paused_by: 'ada' }])

  await page.keyboard.press('p')
  await page.click('dialog button:text-is("Resume the queue")')
  await page.waitForSelector('button:text-is("Pause")')
  expect(await rows(paused)).toEqual([{ paused_by: null }])

  await page.keyboard.press('g')
  await page.keyboard.press('a')
  await page.waitForURL('**/audit')
  await page.waitForSelector('td >> text=resumeQueue')
  expect(await page.locator('td >> text=pauseQueue').count()).toBe(1)
})

test('a job that runs is watched live, and cancelled', async ({
  serveDashboard,
  openPage,
  openQueue,
  receive,
  seen,
}) => {
  let report = (_done: number): void => {}
  const queue = openQueue(
    async (_job, { progress, log, signal }) => {
      report = (done) => {
        progress({ done, of: 10 })
        log(`read ${done} rows`)
      }
      report(1)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      throw new Error('ended')
    },
    { queueName: 'imports' },
  )
  receive(queue)
  const { id } = await queue.enqueue({ file: 'customers.csv' })
  const page = await openPage(`${await serveDashboard()}jobs/${id}`)
  await page.waitForSelector('main >> text=read 1 rows')
  report(7)
  await page.waitForSelector('main >> text=read 7 rows')
  expect(await page.getAttribute('main progress', 'value')).toBe('0.7')
  await page.keyboard.press('c')
  await page.click(`dialog button:text-is("Cancel job ${id}")`)
  await seen('job.cancelled', id)
  await page.waitForSelector('main .status:text-is("cancelled")')
  await page.waitForSelector('button:text-is("Retry")')
})

test('many are retried by a filter, after a look at what it hits', async ({
  serveDashboard,
  openPage,
  openQueue,
  rows,
}) => {
  const queue = openQueue(
    () => {
      throw new Error('no answer')
    },
    { queueName: 'emails' },
  )
  await queue.enqueueMany(Array.from({ length: 30 }, (_, n) => ({ args: n, maxRetries: 0 })))
  await queue.drain()
  const page = await openPage(`${await serveDashboard()}queues/emails/jobs?status=failed`)
  await page.keyboard.press('r')
  await page.waitForSelector('dialog >> text=30 jobs will be changed')
  expect(await page.locator('dialog li').count()).toBe(5)
  expect(await page.textContent('dialog li')).toContain('no answer')
  await page.click('dialog button:text-is("Back")')
  expect(await rows('select count(*)::int4 as count from {schema}.jobs')).toEqual([{ count: 0 }])

  // Two of them by their rows, then the others by the filter.
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  await page.waitForSelector('main >> text=2 selected')
  await page.keyboard.press('r')
  await page.waitForSelector('dialog >> text=The 2 selected jobs.')
  await page.click('dialog button[type="submit"], dialog .buttons button >> nth=1')
  await page.waitForSelector('#said >> text=2 jobs changed.')
  expect(await rows('select count(*)::int4 as count from {schema}.jobs')).toEqual([{ count: 2 }])
  await until(async () => (await page.locator('[data-row]').count()) === 28)

  await page.click('main button:text-is("Retry")')
  await page.waitForSelector('dialog >> text=28 jobs will be changed')
  await page.click('dialog .buttons button >> nth=1')
  await page.waitForSelector('#said >> text=28 jobs changed.')
  await page.waitForSelector('main >> text=No job passes the filter')
})

test('a dead letter goes back with other arguments, and another one is deleted', async ({
  serveDashboard,
  openPage,
  openQueue,
  rows,
}) => {
  const queue = openQueue(
    () => {
      throw new Error('no such city')
    },
    { queueName: 'weather', dlq: 'weather-dead' },
  )
  const [first, second] = await queue.enqueueMany([
    { args: { city: 'Atlantis' }, maxRetries: 0 },
    { args: { city: 'Camelot' }, maxRetries: 0 },
  ])
  await queue.drain()
  const url = await serveDashboard()
  const page = await openPage(`${url}jobs/${first?.id}`)
  await page.click('button:text-is("Redrive")')
  await page.fill('dialog textarea', '{"city": "Oslo"')
  await page.click('dialog .buttons button >> nth=1')
  await page.waitForSelector('dialog [role=alert] >> text=is no JSON')
  await page.fill('dialog textarea', '{"city": "Oslo"}')
  await page.click('dialog .buttons button >> nth=1')
  await page.waitForSelector('#said >> text=went back')
  expect(await rows('select args from {schema}.jobs where id = $1', [first?.id])).toEqual([
    { args: { city: 'Oslo' } },
  ])

  await page.goto(`${url}jobs/${second?.id}`)
  await page.keyboard.press('d')
  await page.click('dialog button.danger')
  await page.waitForURL('**/queues/weather-dead/jobs')
  await page.waitForSelector('#said >> text=was deleted')
  expect(await rows('select id from {schema}.jobs where id = $1', [second?.id])).toEqual([])
})

test('a cause of dead letters is sent back as a whole', async ({
  serveDashboard,
  openPage,
  openQueue,
  rows,
}) => {
  const queue = openQueue<number, void>(
    ({ args }) => {
      throw new Error(args % 3 === 0 ? `timeout after ${args} ms` : `HTTP 500 for order ${args}`)
    },
    { queueName: 'orders', dlq: 'orders-dead' },
  )
  await queue.enqueueMany(Array.from({ length: 9 }, (_, n) => ({ args: n, maxRetries: 0 })))
  await queue.drain()
  const page = await openPage(`${await serveDashboard()}dead-letters?queue=orders-dead`)
  await page.locator('tr', { hasText: 'timeout after' }).locator('button').click()
  await page.waitForSelector('dialog >> text=3 jobs will be changed')
  await page.click('dialog .buttons button >> nth=1')
  await page.waitForSelector('#said >> text=3 jobs changed.')
  const left = `select count(*)::int4 as count from {schema}.jobs join {schema}.queues on queues.id = jobs.queue_id
    where queues.name = 'orders-dead'`
  expect(await rows(left)).toEqual([{ count: 6 }])
})

test('a job is enqueued by hand, and what the API refuses is told in the dialog', async ({
  serveDashboard,
  openPage,
  openQueue,
  rows,
}) => {
  await openQueue({ queueName: 'emails' }).enqueue(1, { delay: '1h' })
  const page = await openPage(`${await serveDashboard()}queues/emails`)
  await page.click('button:text-is("Enqueue")')
  await page.fill('dialog textarea', '{"to": "ada@example.org"}')
  await page.click('dialog .buttons button >> nth=1')
  await page.waitForSelector('#said')
  const args = `select args from {schema}.jobs order by id desc limit 1`
  expect(await rows(args)).toEqual([{ args: { to: 'ada@example.org' } }])

  await page.click('button:text-is("Pause")')
  await page.fill('dialog input[name="reason"]', 'x'.repeat(1_001))
  await page.click('dialog .buttons button >> nth=1')
  await page.waitForSelector('dialog [role=alert] >> text=reason')
  await until(() => takeTroubles(page).some((trouble) => trouble.includes('400')))
})

test('whoever may only look sees no button, and whoever operates none that deletes', async ({
  serveDashboard,
  openPage,
  openQueue,
  receive,
  rows,
}) => {
  const scene = await setTheScene({ openQueue, receive, rows })
  const addresses = [
    'queues/emails',
    'queues/emails/jobs',
    `jobs/${scene.failedId}`,
    `jobs/${scene.deadId}`,
    'dead-letters?queue=webhooks-dead',
    'workers',
  ]
  const viewer = await serveDashboard({ auth: () => 'viewer' })
  const page = await openPage(viewer)
  for (const address of addresses) {
    await page.goto(viewer + address)
    expect([address, await page.locator('[data-action]').count()]).toEqual([address, 0])
  }
  const operator = await serveDashboard({ auth: () => 'operator' })
  for (const address of addresses.slice(0, 5)) {
    await page.goto(operator + address)
    expect([address, await page.locator('[data-action]').count()]).not.toEqual([address, 0])
    expect([address, await page.locator('button.danger').count()]).toEqual([address, 0])
  }
})

test('a job that waits is edited, and selected ones are cancelled and deleted', async ({
  serveDashboard,
  openPage,
  openQueue,
  rows,
}) => {
  const queue = openQueue({ queueName: 'emails' })
  const jobs = await queue.enqueueMany([1, 2, 3, 4].map((n) => ({ args: { n }, delay: '1h' })))
  const [first] = jobs
  const url = await serveDashboard()
  const page = await openPage(`${url}jobs/${first?.id}`)
  await page.click('button:text-is("Edit")')
  await page.fill('dialog textarea', '{"n": 100}')
  await page.fill('dialog input[name="priority"]', '2')
  await page.click('dialog .buttons button >> nth=1')
  await page.waitForSelector('main >> text=2, of 0 (first) to 9 (last)')
  const edited = 'select args, priority::int4 as priority from {schema}.jobs where id = $1'
  expect(await rows(edited, [first?.id])).toEqual([{ args: { n: 100 }, priority: 2 }])

  await page.goto(`${url}jobs?queue=emails`)
  await page.waitForURL('**/queues/emails/jobs')
  await page.check('[data-select-all]')
  await page.uncheck(`[data-select][value="${first?.id}"]`)
  await page.waitForSelector('main >> text=3 selected')
  await page.keyboard.press('c')
  await page.waitForSelector('dialog >> text=The 3 selected jobs.')
  await page.click('dialog .buttons button >> nth=1')
  await page.waitForSelector('#said >> text=3 jobs changed.')
  const outcomes = 'select count(*)::int4 as count, outcome from {schema}.history group by outcome'
  expect(await rows(outcomes)).toEqual([{ count: 3, outcome: 'cancelled' }])

  // The key would mean the row that has the focus; the button means all that the filter lets pass.
  await page.click('main button:text-is("Delete")')
  await page.waitForSelector('dialog >> text=It cannot be taken back.')
  await page.waitForSelector('dialog >> text=4 jobs will be changed')
  await page.click('dialog button.danger')
  await page.waitForSelector('#said >> text=4 jobs changed.')
  await page.waitForSelector('main >> text=There are no jobs in this queue')
  expect(await rows('select id from {schema}.jobs')).toEqual([])
})
