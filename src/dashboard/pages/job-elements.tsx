import { Nothing } from './elements.tsx'
import { showShare, showWhole } from './figures.ts'
import type { Markup } from './page.ts'
import type { ShownError, ShownJob } from './shown-job.ts'

/* What pages about jobs are made of. However large what comes from a job is, a page shows so much of it and no more. */

/** Of a value or a text in a row of a list. */
export const CHARACTERS_IN_A_ROW = 200
/** Of JSON that has a place of its own. */
const CHARACTERS_OF_JSON = 20_000

/** The beginning of a text; what is cut off is an ellipsis. */
export function cut(text: string, characters: number): string {
  if (text.length <= characters) return text
  return `${text.slice(0, characters).replace(/[\uD800-\uDBFF]$/, '')}…`
}

/** A value as JSON in one line, its beginning. */
export function inOneLine(value: unknown, characters = CHARACTERS_IN_A_ROW): string {
  return cut(jsonOf(value), characters)
}

/** JSON for people, up to a bound; `href` is where all of it is. */
export function LargeJson(props: { value: unknown; label: string; href: string }): Markup {
  const { value, label, href } = props
  const text = jsonOf(value, 2)
  const rest = text.length - CHARACTERS_OF_JSON
  return (
    <>
      <pre class="json" tabIndex={0} aria-label={label} role="region">
        <code>{cut(text, CHARACTERS_OF_JSON)}</code>
      </pre>
      {rest <= 0 ? null : (
        <p class="notice">
          <a href={href}>{`All of it as JSON: ${showWhole(rest)} more characters`}</a>
        </p>
      )}
    </>
  )
}

/** What a runtime type says of a value does not hold for what came from outside: nothing is no JSON. */
function jsonOf(value: unknown, indent?: number): string {
  const text: string | undefined = JSON.stringify(value, null, indent)
  return text ?? 'null'
}

/** Attempts made, of those that there are at most. */
export function Attempts({ job: { attempt, maxRetries } }: { job: ShownJob }): Markup {
  if (attempt === null || maxRetries === null) return <Nothing because="not known" />
  return <>{`${showWhole(attempt)} of ${showWhole(maxRetries + 1)}`}</>
}

/** The name and the message of an error, in one line. */
export function sayError({ name, message }: ShownError, characters = CHARACTERS_IN_A_ROW): string {
  return cut([name, message].filter((text) => text !== null && text !== '').join(': '), characters)
}

interface Share {
  /** From 0 to 1. */
  readonly share: number
  readonly text: string
  /** Whether the value says more than that. */
  readonly isAll: boolean
}

/** What a run reported: a bar where it is a share of something, else JSON. */
export function Progress({ value, label }: { value: unknown; label: string }): Markup {
  const share = shareOf(value)
  if (share === undefined) return <code class="progress">{inOneLine(value)}</code>
  return (
    <span class="progress">
      <progress max={1} value={share.share} aria-label={label}></progress>
      {` ${share.text}`}
    </span>
  )
}

/** Whether all that a value says is seen in `Progress`. */
export function isWholeProgress(value: unknown): boolean {
  const share = shareOf(value)
  return share === undefined ? inOneLine(value, Infinity) === inOneLine(value) : share.isAll
}

/** A number from 0 to 100 is by convention a percentage; `{ done, of }` counts; a text may be a percentage. */
function shareOf(value: unknown): Share | undefined {
  if (typeof value === 'number') return ofPercentage(value)
  if (typeof value === 'string') {
    const [, percentage] = /^(\d{1,3}(?:\.\d+)?) ?%$/.exec(value) ?? []
    return percentage === undefined ? undefined : ofPercentage(Number(percentage))
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { done, of, ...others } = value as Record<string, unknown>
  if (typeof done !== 'number' || typeof of !== 'number' || !(done >= 0 && done <= of && of > 0)) {
    return undefined
  }
  const isAll = Object.keys(others).length === 0
  return { share: done / of, text: `${showWhole(done)} of ${showWhole(of)}`, isAll }
}

function ofPercentage(value: number): Share | undefined {
  if (!(value >= 0 && value <= 100)) return undefined
  return { share: value / 100, text: showShare(value / 100), isAll: true }
}
