import type { JobView } from '../api/job-view.ts'
import { Instant } from './elements.tsx'
import { cut, inOneLine } from './job-elements.tsx'
import type { Links } from './links.ts'
import type { Markup } from './page.ts'
import { readShownLine, type ShownLine } from './shown-job.ts'

/* Two hundred lines are sent again with each new one: of each so much. */
const CHARACTERS_OF_MESSAGE = 1_000
const CHARACTERS_OF_FIELDS = 500

/** The log of a job: its latest lines, the last one where it is seen; or those behind the one with the number `after`. */
export function JobLog(props: {
  id: string
  view: JobView
  after: number | null
  links: Links
}): Markup {
  const { id, view, after, links } = props
  const lines = view.lines.map(readShownLine)
  return (
    <section class="panel">
      <h2>{after === null && lines.length > 1 ? 'Log, the latest line first' : 'Log'}</h2>
      {lines.length === 0 ? (
        <NoLines after={after} />
      ) : (
        <ol class="log" tabIndex={0} aria-label="Lines of the log">
          {lines.map((line) => (
            <Line line={line} />
          ))}
        </ol>
      )}
      <Others id={id} view={view} after={after} links={links} />
    </section>
  )
}

function NoLines({ after }: { after: number | null }): Markup {
  if (after !== null) return <p class="muted">{`There is no line behind number ${after}.`}</p>
  return (
    <p class="muted">
      {'Its runs have written nothing. In a handler, '}
      <code>{"context.log('sent', { to })"}</code> writes a line.
    </p>
  )
}

function Line({ line }: { line: ShownLine }): Markup {
  const { number, attempt, at, message, fields } = line
  return (
    <li data-key={number === null ? undefined : String(number)}>
      {at === null ? null : <Instant at={at} />}
      {attempt === null ? null : <small>{`run ${attempt}`}</small>}
      <span>{message === null ? '' : cut(message, CHARACTERS_OF_MESSAGE)}</span>
      {fields === null ? null : <code>{inOneLine(fields, CHARACTERS_OF_FIELDS)}</code>}
    </li>
  )
}

/** The way to the other lines. */
function Others(props: { id: string; view: JobView; after: number | null; links: Links }): Markup {
  const { id, view, after, links } = props
  const { firstLine, lastLine, isFull } = view
  const isFromStart = after === 0
  if (lastLine === null && after === null) return null
  return (
    <nav class="pager" aria-label="Lines of the log">
      {isFromStart || firstLine === null || firstLine === 1 ? null : (
        <a href={links.job(id, { logsAfter: 0 })}>From the first line</a>
      )}
      {after === null || !isFull ? null : (
        <a href={links.job(id, { logsAfter: lastLine })} rel="next">
          Next lines
        </a>
      )}
      {after === null ? null : <a href={links.job(id)}>Latest lines</a>}
      <a href={links.jobAsJson(id, '/logs', { limit: 1_000 })}>As JSON</a>
    </nav>
  )
}
