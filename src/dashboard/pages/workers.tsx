import { readWorkerList, type ShownWorker } from '../api/workers.ts'
import { pageParameters } from '../api/shapes.ts'
import { Ago, Empty, Pager } from './elements.tsx'
import type { Links } from './links.ts'
import { livingPart, NAMES, NameCells } from './living-workers.tsx'
import { limitOf, type Markup, type Page } from './page.ts'
import { Table, type Column } from './table.tsx'

/** More that live are not shown at once. */
const MOST_LIVING = 200

/** The processes that receive, and those that did. */
export const workersPage: Page = {
  path: '/workers',
  role: 'viewer',
  query: pageParameters(200),
  open: async (visit) => {
    const { parts, query, links, shared } = visit
    const isFirst = query['cursor'] === undefined
    const { workers, next } = await shared.read(`ended ${JSON.stringify(query)}`, () =>
      readWorkerList(parts, { ...query, ended: true }),
    )
    const ended = <Ended workers={workers} links={links} />
    return {
      title: 'Workers',
      room: 'workers',
      parts: [
        { content: <Headline /> },
        ...(isFirst ? [await livingPart(visit, { title: 'Living', most: MOST_LIVING })] : []),
        isFirst ? { live: 'ended', content: ended } : { content: ended },
        {
          content: (
            <Pager
              first={isFirst ? undefined : links.workers()}
              next={next === null ? null : links.workers({ ...limitOf(query), cursor: next })}
            />
          ),
        },
      ],
    }
  },
}

function Headline(): Markup {
  return (
    <header class="headline">
      <h1>Workers</h1>
      <p>
        Processes that receive, as their last heartbeats told. Those that ended are known for a day.
      </p>
    </header>
  )
}

const OF_ENDED: readonly Column[] = [
  ...NAMES,
  { name: 'Last heartbeat' },
  { name: 'Started' },
  { name: 'Version' },
]

function Ended({ workers, links }: { workers: readonly ShownWorker[]; links: Links }): Markup {
  return (
    <section class="panel">
      <h2>Ended</h2>
      {workers.length === 0 ? (
        <Empty title="None ended in the last day" />
      ) : (
        <Table label="Workers that ended" columns={OF_ENDED}>
          {workers.map((worker) => (
            <tr data-key={String(worker.id)}>
              <NameCells worker={worker} links={links} />
              <td>
                <Ago at={worker.beatAt} />
              </td>
              <td>
                <Ago at={worker.startedAt} />
              </td>
              <td>{worker.version}</td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  )
}
