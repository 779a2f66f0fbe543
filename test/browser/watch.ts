import type { Page } from 'playwright-core'

/* What goes wrong in a page without anybody seeing it. */

/** By page; what is in it at the end of a test fails the test. */
const troubles = new WeakMap<Page, string[]>()

/** Reports violations of the Content-Security-Policy; runs in the page before anything of it. */
const REPORT_VIOLATIONS = `addEventListener('securitypolicyviolation', (event) => {
  const { effectiveDirective, blockedURI, sourceFile, lineNumber, sample } = event
  reportViolation([effectiveDirective, 'forbids', blockedURI, 'at', sourceFile + ':' + lineNumber, sample].join(' '))
}, true)`

/** Writes down what goes wrong in a page that has not been anywhere yet. */
export async function watch(page: Page): Promise<void> {
  const seen: string[] = []
  troubles.set(page, seen)
  page.on('console', (message) => {
    if (message.type() === 'error')
      seen.push(`console: ${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (error) => seen.push(`uncaught: ${error.stack ?? error.message}`))
  page.on('crash', () => seen.push('the page crashed'))
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? ''
    // The page itself gave it up, as a stream when another page is opened.
    if (reason !== 'net::ERR_ABORTED')
      seen.push(`request: ${request.method()} ${request.url()} ${reason}`)
  })
  await page.exposeFunction('reportViolation', (text: string) => seen.push(`policy: ${text}`))
  await page.addInitScript(REPORT_VIOLATIONS)
}

/**
 * What has gone wrong in a page so far: errors on its console, uncaught ones, requests that failed, violations of its
 * policy. It is forgotten by this, so ask for it where it is meant to go wrong; what is left fails the test.
 */
export function takeTroubles(page: Page): string[] {
  return troubles.get(page)?.splice(0) ?? []
}
