import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { expect, inject, type TestAPI } from 'vitest'
import { createDashboard, toNodeListener } from '../../src/dashboard/index.ts'
import type { DashboardOptions } from '../../src/dashboard/options.ts'
import { test as base, type ServerFixtures } from '../support/fixtures.ts'
import { screenshot } from './screenshot.ts'
import { takeTroubles, watch } from './watch.ts'

export { expect, until } from '../support/fixtures.ts'
export { checkAccessibility } from './accessibility.ts'
export { screenshot } from './screenshot.ts'
export { takeTroubles } from './watch.ts'

/*
 * Pages in a real browser, a real database and real workers behind them: one browser for a file, which begins with an
 * empty profile, and for each test contexts that know of nothing before it.
 */

/** Beside what playwright passes by itself, a profile of its own in a new folder among it. */
const ARGUMENTS = [
  '--headless',
  '--no-sandbox', // which root cannot have, and a container often does not allow
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Below the timeout of a test, so that what was waited for is named. */
const PATIENCE_MS = 15_000

/** How a page is looked at. */
export interface PageOptions {
  /** @default 'light' */
  colorScheme?: 'light' | 'dark'
  /** In CSS pixels. @default 1280 x 800 */
  viewport?: { width: number; height: number }
  /** Who answers when the server asks for a name and a password. @default nobody */
  user?: { username: string; password: string }
}

/** What a test of pages can ask for, beside what every test can. */
export interface BrowserFixtures extends ServerFixtures {
  /** The browser of the file, started by who asks first. */
  launch: () => Promise<Browser>
  /**
   * Serves a dashboard for the schema of the test, to an administrator `ada` unless `auth` says otherwise, until the test
   * ends; resolves with the address of its overview.
   */
  serveDashboard: (options?: Partial<DashboardOptions>) => Promise<string>
  /**
   * Opens an address, and resolves when it is loaded. Pages with the same options are tabs of one window. The test fails
   * by what goes wrong in a page, unless it takes that out by `takeTroubles`; without a browser it is skipped.
   */
  openPage: (url: string, options?: PageOptions) => Promise<Page>
}

/** Tests of pages: `test('…', async ({ serveDashboard, openPage, queue, receive }) => …)`. */
export const test: TestAPI<BrowserFixtures> = base.extend<
  Pick<BrowserFixtures, 'launch' | 'serveDashboard' | 'openPage'>
>({
  launch: [
    // oxlint-disable-next-line no-empty-pattern -- vitest wants a pattern to see what a fixture needs
    async ({}, use) => {
      const options = { executablePath: inject('chromium'), args: ARGUMENTS }
      let browser: Promise<Browser> | undefined
      await use(() => (browser ??= chromium.launch(options)))
      await (await browser)?.close()
    },
    { scope: 'file' },
  ],
  serveDashboard: async ({ db, schema }, use) => {
    const servers: Server[] = []
    await use(async (options = {}) => {
      const auth = () => ({ role: 'admin', name: 'ada' }) as const
      const dashboard = createDashboard(db, { auth, schema, ...options })
      const server = createServer(toNodeListener(dashboard))
      servers.push(server)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      return `http://127.0.0.1:${port}${options.basePath ?? ''}/`
    })
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
  },
  // After the server, so that pages are closed before it: to them its end is a failure.
  openPage: async ({ launch, serveDashboard: _, skip, task }, use) => {
    skip(inject('chromium') === '', 'there is no Chromium')
    const windows = new Map<string, Promise<BrowserContext>>()
    const pages: Page[] = []
    await use(async (url, options = {}) => {
      const key = JSON.stringify(options)
      const window = windows.get(key) ?? launch().then((browser) => openWindow(browser, options))
      windows.set(key, window)
      const page = await (await window).newPage()
      pages.push(page)
      await watch(page)
      await page.goto(url)
      return page
    })
    if (task.result?.state === 'fail') await keepPictures(pages, task.name)
    const troubles = pages.flatMap(takeTroubles)
    for (const window of windows.values()) await (await window).close()
    expect(troubles, 'what went wrong in the pages of this test').toEqual([])
  },
})

async function openWindow(browser: Browser, options: PageOptions): Promise<BrowserContext> {
  const { colorScheme = 'light', viewport = { width: 1280, height: 800 }, user } = options
  const window = await browser.newContext({
    colorScheme,
    viewport,
    locale: 'en-GB',
    timezoneId: 'UTC',
    ...(user === undefined ? {} : { httpCredentials: user }),
  })
  window.setDefaultTimeout(PATIENCE_MS)
  return window
}

/** For a look at what the test saw when it failed. */
async function keepPictures(pages: readonly Page[], name: string): Promise<void> {
  const words = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  for (const [index, page] of pages.entries()) {
    const file = await screenshot(page, `failed/${words.slice(0, 60)}-${index + 1}`)
    console.error(`Kept for autopsy: ${file}`)
  }
}
