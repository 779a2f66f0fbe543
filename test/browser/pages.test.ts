import { setTheScene, type Scene } from './scene.ts'
import { checkAccessibility, expect, screenshot, takeTroubles, test, until } from './support.ts'
import type { Page } from 'playwright-core'

/** Every page, by the name of its picture. */
const PAGES: Record<string, (scene: Scene) => string> = {
  overview: () => '',
  queue: () => 'queues/webhooks',
  'queue-paused': () => 'queues/payments?span=24h',
  'jobs-of-any': () => 'jobs',
  jobs: () => 'queues/emails/jobs',
  'jobs-filtered': () => 'queues/emails/jobs?status=failed&errorText=SMTP',
  'job-running': ({ runningId }) => `jobs/${runningId}`,
  'job-failed': ({ failedId }) => `jobs/${failedId}`,
  'job-dead': ({ deadId }) => `jobs/${deadId}`,
  'dead-letters': () => 'dead-letters',
  'dead-letter-queue': () => 'dead-letters?queue=webhooks-dead',
  workers: () => 'workers',
  search: () => 'search?q=hook',
  audit: () => 'audit',
}

const LOOKS = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  narrow: { colorScheme: 'light', viewport: { width: 390, height: 844 } },
} as const

/** The page says that it is true as of now: by a stream, by asking now and then, or because nothing on it moves. */
async function isTrue(page: Page): Promise<void> {
  await page.waitForSelector('#liveness[data-state="live"], #liveness[data-state="still"]')
}

test.for(Object.keys(LOOKS) as (keyof typeof LOOKS)[])(
  'every page is whole, %s',
  { timeout: 120_000 },
  async (look, { serveDashboard, openPage, openQueue, receive, rows }) => {
    const scene = await setTheScene({ openQueue, receive, rows })
    const url = await serveDashboard()
    const page = await openPage(url, LOOKS[look])
    for (const [name, address] of Object.entries(PAGES)) {
      await page.goto(url + address(scene))
      await isTrue(page)
      if (name === 'overview') await page.waitForSelector('.warnings li')
      expect([name, await checkAccessibility(page)]).toEqual([name, []])
      expect([name, await page.locator('h1').count()]).toEqual([name, 1])
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      )
      expect([name, overflow]).toEqual([name, 0])
      await screenshot(page, `${name}-${look}`, { fullPage: look !== 'light' })
    }
  },
)

test(
  'every page helps where nothing is yet',
  { timeout: 60_000 },
  async ({ serveDashboard, openPage, openQueue }) => {
    await openQueue({ queueName: 'empty' }).enqueue(1)
    const url = await serveDashboard()
    const page = await openPage(url)
    for (const address of ['dead-letters', 'workers', 'audit', 'search?q=nothing', 'jobs/99999']) {
      await page.goto(url + address)
      expect([address, await checkAccessibility(page)]).toEqual([address, []])
      const text = (await page.textContent('main')) ?? ''
      expect([address, text.length > 40]).toEqual([address, true])
      if (address.startsWith('jobs/')) {
        expect(text).toContain('Nothing is here')
        await until(() => takeTroubles(page).some((trouble) => trouble.includes('404')))
      }
    }
  },
)

test('charts are drawn in the colours of the page, and drawn anew with new ones', async ({
  serveDashboard,
  openPage,
  openQueue,
  receive,
  rows,
}) => {
  await setTheScene({ openQueue, receive, rows })
  const url = await serveDashboard()
  const page = await openPage(`${url}queues/emails`)
  await page.waitForSelector('[data-chart] canvas')
  expect(await page.locator('[data-chart] canvas').count()).toBe(4)
  const axis = `getComputedStyle(document.querySelector('[data-chart]')).getPropertyValue('--line')`
  const before = await page.evaluate(axis)
  await page.click('#theme')
  expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
  expect(await page.evaluate(axis)).not.toBe(before)
  await page.waitForSelector('[data-chart] canvas')
  await page.reload()
  expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
})
