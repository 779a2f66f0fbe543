import type { Child } from 'hono/jsx'
import type { JobStatus } from '../../core/job.ts'
import type { Counted } from '../../store/glance.ts'
import { showDuration, showNumber } from './figures.ts'
import type { Markup } from './page.ts'

/* What pages are made of. */

/** How long ago an instant was; the script counts on, and says the instant itself on hovering. */
export function Ago({ at }: { at: string | Date }): Markup {
  return <Instant at={at} as="ago" />
}

/** How long something has been so: since this instant. */
export function Since({ at }: { at: string | Date }): Markup {
  return <Instant at={at} as="for" />
}

/** An instant in the time zone of whoever looks, to the second; without the script it is UTC. */
export function Instant({
  at,
  as = 'instant',
}: {
  at: string | Date
  as?: 'ago' | 'for' | 'instant'
}): Markup {
  const iso = typeof at === 'string' ? at : at.toISOString()
  return (
    <time dateTime={iso} data-time={as}>
      {`${iso.slice(0, 19).replace('T', ' ')} UTC`}
    </time>
  )
}

/** A duration that does not run with the clock: what does is said by `Since`. */
export function Duration({ ms }: { ms: number | null }): Markup {
  return ms === null ? <Nothing /> : <span class="number">{showDuration(ms)}</span>
}

/** There is nothing to say: a dash, and for those who listen a word. */
export function Nothing({ because = 'none' }: { because?: string }): Markup {
  return (
    <span class="nothing">
      <span aria-hidden="true">–</span>
      <span class="heard">{because}</span>
    </span>
  )
}

/** A number of jobs, and how exact it is. */
export function Count({ count: { value, precision } }: { count: Counted }): Markup {
  const [sign, title] = {
    exact: ['', undefined],
    estimate: ['≈ ', 'An estimate, by the statistics of the table'],
    atLeast: ['≥ ', 'Counting ended here'],
  }[precision] as [string, string | undefined]
  return (
    <span class={value === 0 ? 'number zero' : 'number'} title={title}>
      {sign}
      {showNumber(value)}
    </span>
  )
}

export function Status({ status }: { status: JobStatus }): Markup {
  return <span class={`status ${status}`}>{status}</span>
}

/** What a list says that has nothing in it, and what would help. */
export function Empty({ title, children }: { title: string; children?: Child }): Markup {
  return (
    <div class="empty">
      <p>
        <strong>{title}</strong>
      </p>
      {children}
    </div>
  )
}

/** The way to the next page of a list, and back to its first. */
export function Pager({
  first,
  next,
}: {
  first?: string | undefined
  next: string | null
}): Markup {
  if (next === null && first === undefined) return null
  return (
    <nav class="pager" aria-label="More">
      {first === undefined ? null : <a href={first}>First page</a>}
      {next === null ? null : (
        <a href={next} rel="next">
          Next page
        </a>
      )}
    </nav>
  )
}

/** A figure with its name, such as those at the top of a page. */
export function Tile(props: {
  name: string
  children: Child
  tone?: 'bad' | 'good' | 'calm' | undefined
  hint?: Child
}): Markup {
  const { name, children, tone = 'calm', hint } = props
  return (
    <div class={`tile ${tone}`}>
      <dt>{name}</dt>
      <dd>
        {children}
        {hint === undefined ? null : <small>{hint}</small>}
      </dd>
    </div>
  )
}
