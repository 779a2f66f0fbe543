import type { Child } from 'hono/jsx'
import { showCount } from '../../core/words.ts'
import type { Cause, Causes } from '../causes.ts'
import { Ago, Nothing } from './elements.tsx'
import { showWhole } from './figures.ts'
import type { Links } from './links.ts'
import type { Markup } from './page.ts'

/** Of a long message so many characters. */
const MOST_SHOWN = 300

/** What a page says about each cause besides. */
export interface CauseColumn {
  readonly name: string
  readonly cell: (cause: Cause) => Child
}

/** Failures by what they come from, the most frequent first. There is at least one. */
export function CauseTable(props: {
  causes: Causes
  label: string
  links: Links
  column: CauseColumn
  /** What can be done about one. */
  action?: (cause: Cause) => Child
}): Markup {
  const { causes, label, links, column, action } = props
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="list">
        <thead>
          <tr>
            <th>Cause</th>
            <th class="number">Failures</th>
            <th>{column.name}</th>
            <th>First seen</th>
            <th>Last seen</th>
            <th>Latest jobs</th>
            {action === undefined ? null : <th>Actions</th>}
          </tr>
        </thead>
        <tbody>
          {causes.causes.map((cause) => (
            <CauseRow cause={cause} links={links} column={column} action={action} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function CauseRow(props: {
  cause: Cause
  links: Links
  column: CauseColumn
  action?: ((cause: Cause) => Child) | undefined
}): Markup {
  const { cause, links, column, action } = props
  const { name, shape, count, firstAt, lastAt, samples } = cause
  return (
    <tr data-key={`${name}: ${shape}`}>
      <td class="cause">
        <strong>{name}</strong>{' '}
        {shape.length > MOST_SHOWN ? `${shape.slice(0, MOST_SHOWN)}…` : shape}
        <Stack cause={cause} />
      </td>
      <td class="number">{showWhole(count)}</td>
      <td>{column.cell(cause)}</td>
      <td>{firstAt === undefined ? <Nothing because="not shown" /> : <Ago at={firstAt} />}</td>
      <td>{lastAt === undefined ? <Nothing because="not shown" /> : <Ago at={lastAt} />}</td>
      <td>
        {samples.map((id) => (
          <>
            <a class="id" href={links.job(id)}>
              {id}
            </a>{' '}
          </>
        ))}
      </td>
      {action === undefined ? null : <td>{action(cause)}</td>}
    </tr>
  )
}

function Stack({ cause: { stack } }: { cause: Cause }): Markup {
  if (stack === undefined) return null
  return (
    <details>
      <summary>Newest stack</summary>
      <pre class="stack">{stack}</pre>
    </details>
  )
}

/** How much was looked at, and what is not in the table. `one` is what is counted, and `which` of them. */
export function Looked(props: { causes: Causes; one: string; which?: string }): Markup {
  const { causes, one, which = '' } = props
  const { looked, isAll, others } = causes
  const newest = `${isAll ? '' : 'The newest '}${showCount(looked, one)}`
  return (
    <p class="muted">
      {`${newest}${which}, grouped by the last error of each job without numbers, ids, addresses and quoted text.`}
      {others.causes === 0
        ? null
        : ` ${showCount(others.failures, one)} are of ${showCount(others.causes, 'other cause')}.`}
    </p>
  )
}
