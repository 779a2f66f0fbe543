import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** As much as is told of what axe found. */
interface Violation {
  readonly id: string
  readonly impact: string | null
  readonly help: string
  readonly helpUrl: string
  readonly nodes: readonly {
    readonly target: readonly unknown[]
    readonly html: string
    readonly failureSummary?: string
  }[]
}

/**
 * What axe has against a page as it stands, a text for each rule with the elements that break it:
 * `expect(await checkAccessibility(page)).toEqual([])`.
 */
export async function checkAccessibility(page: Page): Promise<string[]> {
  // Evaluated, not added as a script: the policy of our pages forbids those, as it should.
  await page.evaluate(`${axe.source}; undefined`)
  const found = await page.evaluate<Violation[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  )
  return found.map(describe)
}

function describe({ id, impact, help, helpUrl, nodes }: Violation): string {
  const places = nodes.map(({ target, html, failureSummary = '' }) => {
    const why = failureSummary.split('\n').slice(1).join(' ').replaceAll(/\s+/g, ' ').trim()
    return `  ${target.join(' ')}: ${html.slice(0, 200)}\n    ${why}`
  })
  return [`${id} (${impact}): ${help}, ${helpUrl}`, ...places].join('\n')
}
