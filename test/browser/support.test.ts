import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test as plain } from 'vitest'
import { basicAuth } from '../../src/dashboard/index.ts'
import { findChromium } from './find-chromium.ts'
import {
  checkAccessibility,
  expect,
  screenshot,
  takeTroubles,
  test as base,
  until,
} from './support.ts'

/* What the tests of pages rely on, held to pages that are known to be right or wrong. */

const POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'"

/** Serves one page; `/script.js` is its script, and nothing else is there. */
const test = base.extend<{ servePage: (body: string, script?: string) => Promise<string> }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest wants a pattern to see what a fixture needs
  servePage: async ({}, use) => {
    const ends: (() => void)[] = []
    await use(async (body, script = '') => {
      const page = `<!doctype html><html lang="en"><head><title>A page</title><link rel="icon" href="data:,">
        <script src="/script.js"></script></head><body><main><h1>A page</h1>${body}</main></body></html>`
      const server = createServer(({ url }, response) => {
        response.setHeader('content-security-policy', `${POLICY} data:`)
        if (url === '/') response.setHeader('content-type', 'text/html; charset=utf-8').end(page)
        else if (url === '/script.js')
          response.setHeader('content-type', 'text/javascript').end(script)
        else response.writeHead(404).end()
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      ends.push(() => server.close().closeAllConnections())
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    })
    for (const end of ends) end()
  },
})

test('a page is seen as it is asked for', async ({ servePage, openPage }) => {
  const url = await servePage('<p>Calm.</p>')
  const light = await openPage(url)
  const dark = await openPage(url, { colorScheme: 'dark', viewport: { width: 390, height: 844 } })
  const look = '[matchMedia("(prefers-color-scheme: dark)").matches, innerWidth]'
  expect(await light.evaluate(look)).toEqual([false, 1280])
  expect(await dark.evaluate(look)).toEqual([true, 390])
  expect(await checkAccessibility(light)).toEqual([])
  expect(existsSync(await screenshot(light, 'support'))).toBe(true)
})

test('tabs of a test know each other, and nothing of another test', async ({
  servePage,
  openPage,
}) => {
  const url = await servePage('')
  const first = await openPage(url)
  expect(await first.evaluate('document.cookie')).toBe('')
  await first.evaluate('document.cookie = "seen=1"')
  expect(await (await openPage(url)).evaluate('document.cookie')).toBe('seen=1')
  const other = await openPage(url, { colorScheme: 'dark' })
  expect(await other.evaluate('document.cookie')).toBe('')
})

test('nor does this one', async ({ servePage, openPage }) => {
  const page = await openPage(await servePage(''))
  expect(await page.evaluate('document.cookie')).toBe('')
})

test('axe finds a control without a name', async ({ servePage, openPage }) => {
  const page = await openPage(await servePage('<button id="nameless"></button>'))
  const [violation = '', ...others] = await checkAccessibility(page)
  expect(violation).toMatch(/^button-name \(critical\): .*\n {2}#nameless: <button/)
  expect(others).toEqual([])
})

test('a script in the page violates its policy', async ({ servePage, openPage }) => {
  const page = await openPage(await servePage('<script>window.isThere = true</script>'))
  const taken: string[] = []
  await until(
    () => taken.push(...takeTroubles(page)) > 0 && taken.some((text) => text.startsWith('policy:')),
  )
  expect(taken.find((text) => text.startsWith('policy:'))).toMatch(/script-src\S* forbids inline/)
  expect(await page.evaluate('typeof isThere')).toBe('undefined')
})

test('errors of scripts and requests are told', async ({ servePage, openPage }) => {
  const script = `console.error('planted'); fetch('/gone'); setTimeout(() => { throw new Error('uncaught one') })`
  const page = await openPage(await servePage('', script))
  const taken: string[] = []
  const has = (pattern: RegExp) => taken.some((text) => pattern.test(text))
  await until(() => {
    taken.push(...takeTroubles(page))
    return (
      has(/console: planted/) && has(/console: .*404.*\/gone/s) && has(/uncaught: .*uncaught one/)
    )
  })
})

test.fails('what nobody takes out fails the test', async ({ servePage, openPage }) => {
  const page = await openPage(await servePage('', `console.error('planted')`))
  await page.evaluate('1') // what the console said has come by now
})

test('a dashboard is served, with real workers behind it', async ({
  serveDashboard,
  openPage,
  openQueue,
  receive,
  seen,
}) => {
  const queue = openQueue(async () => 'done', { queueName: 'emails' })
  receive(queue)
  const { id } = await queue.enqueue({ to: 'ada' })
  await seen('job.finished', id)
  const url = await serveDashboard({
    basePath: '/admin/jobs',
    auth: basicAuth({ ada: { password: 'secret', role: 'admin' } }),
  })
  expect(url).toMatch(/\/admin\/jobs\/$/)
  const page = await openPage(url, { user: { username: 'ada', password: 'secret' } })
  await page.getByText('emails').first().waitFor()
  await page.goto(`${url}audit`) // what the page before was listening to is given up; that is no trouble
  expect(await page.title()).not.toBe('')
})

test('a page that refuses somebody says so on its console', async ({
  serveDashboard,
  openPage,
}) => {
  const page = await openPage(`${await serveDashboard({ auth: () => 'viewer' })}audit`)
  const [trouble, ...others] = takeTroubles(page)
  expect(trouble).toMatch(/^console: .* 403 .*audit\)$/)
  expect(others).toEqual([])
})

plain('the browser is the one that is named, or is found', () => {
  const program = process.execPath // any that is there
  expect(findChromium({ MILLRACE_CHROMIUM: program })).toBe(program)
  expect(() => findChromium({ MILLRACE_CHROMIUM: '/nowhere' })).toThrow(/names \/nowhere/)
  expect(findChromium({ PATH: '/nowhere' })).toBeUndefined()
  expect(findChromium({})).toBeUndefined()
})
