import { basicAuth } from '../../src/dashboard/index.ts'
import { setTheScene } from './scene.ts'
import { expect, takeTroubles, test, until } from './support.ts'

test('keys lead everywhere', async ({ serveDashboard, openPage, openQueue, receive, rows }) => {
  await setTheScene({ openQueue, receive, rows })
  const page = await openPage(await serveDashboard())
  await page.keyboard.press('?')
  await page.waitForSelector('#keys[open] >> text=next and previous row')
  await page.keyboard.press('Escape')
  await page.keyboard.press('/')
  await page.keyboard.type('webhooks-dead')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/queues/webhooks-dead')
  await page.waitForSelector('html[data-ready]')
  await page.keyboard.press('g')
  await page.keyboard.press('o')
  await page.waitForSelector('html[data-ready] h1:text-is("Overview")')
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('k')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/queues/emails')
  await page.waitForSelector('html[data-ready]')
  await page.keyboard.press('g')
  await page.keyboard.press('w')
  await page.waitForSelector('html[data-ready] h1:text-is("Workers")')
  await page.keyboard.press('g')
  await page.keyboard.press('d')
  await page.waitForSelector('html[data-ready] h1:text-is("Dead letters")')
})

test(
  'ten tabs are live at once',
  { timeout: 60_000 },
  async ({ serveDashboard, openPage, openQueue }) => {
    const queue = openQueue({ queueName: 'emails' })
    await queue.enqueue(1, { delay: '1h' })
    const url = await serveDashboard()
    const tabs = []
    for (let tab = 0; tab < 10; tab++) tabs.push(await openPage(`${url}queues/emails/jobs`))
    for (const tab of tabs) await tab.waitForSelector('#liveness[data-state="live"]')
    const { id } = await queue.enqueue(2, { delay: '1h' })
    for (const tab of tabs) await tab.waitForSelector(`[data-key="${id}"]`)
  },
)

test('what was opened, selected and focused stays when the page changes', async ({
  serveDashboard,
  openPage,
  openQueue,
}) => {
  const queue = openQueue({ queueName: 'emails' })
  const { id } = await queue.enqueue(1, { delay: '1h' })
  const page = await openPage(`${await serveDashboard()}queues/emails/jobs`)
  await page.check(`[data-select][value="${id}"]`)
  await page.focus(`[data-key="${id}"]`)
  const other = await queue.enqueue(2, { delay: '1h' })
  await page.waitForSelector(`[data-key="${other.id}"]`)
  expect(await page.isChecked(`[data-select][value="${id}"]`)).toBe(true)
  expect(await page.evaluate('document.activeElement.dataset.key')).toBe(id)
  await page.waitForSelector('main >> text=1 selected')
})

test(
  'a page says when it is not true any more, and when it is again',
  { timeout: 60_000 },
  async ({ serveDashboard, openPage, rows }) => {
    const page = await openPage(await serveDashboard())
    await page.waitForSelector('#liveness[data-state="live"]')
    await rows('alter table {schema}.queues rename to elsewhere')
    await page.waitForSelector('#liveness[data-state="trouble"]')
    await rows('alter table {schema}.elsewhere rename to queues')
    await page.waitForSelector('#liveness[data-state="live"]')
  },
)

test('hostile jobs are shown, and do nothing', async ({
  serveDashboard,
  openPage,
  openQueue,
  receive,
  seen,
}) => {
  const evil = `"><img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`
  const queue = openQueue(
    (_job, { log, progress }) => {
      log(evil, { [evil]: evil })
      progress(evil)
      throw Object.assign(new Error(evil), { name: evil })
    },
    { queueName: evil, dlq: `${evil} dead` },
  )
  const { id } = await queue.enqueue(
    { [evil]: evil, isEscaped: true, toString: evil, __proto__: { x: 1 } },
    { tags: ['"><svg onload=alert(1)>'], metadata: { [evil]: evil }, maxRetries: 0 },
  )
  receive(queue)
  await seen('job.dead_lettered', id)
  const url = await serveDashboard()
  const name = encodeURIComponent(evil)
  const page = await openPage(url)
  page.on('dialog', (dialog) => {
    throw new Error(`A dialog: ${dialog.message()}`)
  })
  const addresses = [
    '',
    `queues/${name}`,
    `queues/${name}/jobs`,
    `queues/${name}%20dead/jobs`,
    `jobs/${id}`,
    `dead-letters?queue=${name}%20dead`,
    `search?q=${name}`,
    `search?q=img`,
    'workers',
  ]
  for (const address of addresses) {
    await page.goto(url + address)
    await page.waitForSelector('#liveness[data-state="live"], #liveness[data-state="still"]')
    expect([address, (await page.textContent('main'))?.includes('onerror')]).toEqual([
      address,
      true,
    ])
    expect([
      address,
      await page.locator('main img, main svg[onload], main script').count(),
    ]).toEqual([address, 0])
    expect(await page.title()).not.toBe('owned')
  }
  await page.goto(`${url}queues/${name}%20dead/jobs`)
  await page.click('main button:text-is("Redrive")')
  await page.waitForSelector('dialog >> text=1 job')
  expect(await page.locator('dialog img, dialog script').count()).toBe(0)
})

test('a click waits for the script that answers it', async ({
  serveDashboard,
  openPage,
  openQueue,
}) => {
  await openQueue({ queueName: 'emails' }).enqueue(1)
  const page = await openPage(await serveDashboard())
  await page.route('**/actions.js', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await route.continue()
  })
  await page.click('a:text-is("emails")')
  await page.click('main button:text-is("Pause")')
  await page.waitForSelector('dialog[open]')
})

test('it lives under a prefix, behind a password', async ({
  serveDashboard,
  openPage,
  openQueue,
  receive,
  rows,
}) => {
  await setTheScene({ openQueue, receive, rows })
  const auth = basicAuth({ ada: { password: 'of Lovelace', role: 'operator' } })
  const url = await serveDashboard({ basePath: '/admin/jobs', auth })
  const user = { username: 'ada', password: 'of Lovelace' }
  const page = await openPage(url, { user })
  await page.waitForSelector('#liveness[data-state="live"]')
  await page.click('nav a:text-is("Dead letters")')
  await page.click('a:text-is("webhooks-dead")')
  await page.click('main button:text-is("Redrive all")')
  await page.waitForSelector('dialog >> text=1 job will be changed, such as:')
  await page.click('dialog .buttons button >> nth=1')
  await page.waitForSelector('#said')
  expect(page.url()).toContain('/admin/jobs/dead-letters')

  const stranger = await openPage(url, { user: { username: 'ada', password: 'wrong' } })
  expect(await stranger.textContent('h1')).toBe('Who are you?')
  await until(() => takeTroubles(stranger).some((trouble) => trouble.includes('401')))
})
