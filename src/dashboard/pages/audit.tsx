import { readAudit, type ShownEntry } from '../api/audit.ts'
import { pageParameters } from '../api/shapes.ts'
import { Ago, Empty, Nothing, Pager } from './elements.tsx'
import { showWhole } from './figures.ts'
import type { Links } from './links.ts'
import { limitOf, type Markup, type Page } from './page.ts'
import { Table, type Column } from './table.tsx'

/** Who did what. */
export const auditPage: Page = {
  path: '/audit',
  role: 'admin',
  query: pageParameters(200),
  open: async ({ parts, query, links, shared }) => {
    const { entries, next } = await shared.read(`audit ${JSON.stringify(query)}`, () =>
      readAudit(parts, query),
    )
    const isFirst = query['cursor'] === undefined
    const list = <Entries entries={entries} links={links} />
    return {
      title: 'Audit',
      room: 'audit',
      parts: [
        {
          content: (
            <header class="headline">
              <h1>Audit</h1>
              <p>Who changed what, here or by the JSON API. Entries are kept for 90 days.</p>
            </header>
          ),
        },
        isFirst ? { live: 'entries', content: list } : { content: list },
        {
          content: (
            <Pager
              first={isFirst ? undefined : links.audit()}
              next={next === null ? null : links.audit({ ...limitOf(query), cursor: next })}
            />
          ),
        },
      ],
    }
  },
}

const COLUMNS: readonly Column[] = [
  { name: 'When' },
  { name: 'Who' },
  { name: 'What' },
  { name: 'Queue' },
  { name: 'Jobs' },
  { name: 'Changed', isNumber: true },
  { name: 'Outcome' },
  { name: 'Request' },
]

function Entries({ entries, links }: { entries: readonly ShownEntry[]; links: Links }): Markup {
  if (entries.length === 0) {
    return (
      <Empty title="Nobody has changed anything yet">
        <p>
          When somebody pauses a queue, retries a job or edits one, here or by the JSON API, it
          stands here.
        </p>
      </Empty>
    )
  }
  return (
    <Table label="Audit entries" columns={COLUMNS}>
      {entries.map((entry) => (
        <Entry entry={entry} links={links} />
      ))}
    </Table>
  )
}

function Entry({ entry, links }: { entry: ShownEntry; links: Links }): Markup {
  const { id, at, actor, role, action, queue, jobIds, jobCount, changed, outcome, request } = entry
  const isDone = outcome === 'done'
  return (
    <tr data-key={id}>
      <td>
        <Ago at={at} />
      </td>
      <td>
        {actor} <small>{role}</small>
      </td>
      <td>
        <code>{action}</code>
      </td>
      <td>{queue === null ? <Nothing /> : <a href={links.queue(queue)}>{queue}</a>}</td>
      <td>
        {jobIds.slice(0, 3).map((jobId) => (
          <a class="id" href={links.job(jobId)}>
            {jobId}
          </a>
        ))}
        {jobIds.length > 3 ? (
          <small>and {showWhole((jobCount ?? jobIds.length) - 3)} more</small>
        ) : null}
        {jobIds.length === 0 ? <Nothing /> : null}
      </td>
      <td class="number">{changed === null ? <Nothing /> : showWhole(changed)}</td>
      <td>
        <span class={isDone ? 'outcome' : 'outcome bad'}>{outcome}</span>
      </td>
      <td class="request">
        {request === null ? <Nothing /> : <code>{JSON.stringify(request)}</code>}
      </td>
    </tr>
  )
}
