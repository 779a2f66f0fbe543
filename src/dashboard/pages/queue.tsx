import type { DBTX } from '../../drivers/driver.ts'
import { readSeries, type Series } from '../../metrics/series.ts'
import { backlogOf, type Backlog } from '../../metrics/stats.ts'
import { findQueuesBehind } from '../../store/dead-letter-queues.ts'
import type { QueueAtAGlance } from '../../store/glance.ts'
import { findOldestDue, listWorkersOfQueue } from '../../store/queue-view.ts'
import type { QueueRow } from '../../store/queues.ts'
import { requireQueue } from '../api/known-queue.ts'
import { glance } from '../api/queues.ts'
import { readCausesOfQueue, type Causes } from '../causes.ts'
import { look, lookFreely } from '../route.ts'
import type { Links } from './links.ts'
import type { Markup, Page, Visit } from './page.ts'
import { QueueCharts, SPANS, type Span } from './queue-charts.tsx'
import { QueueErrors } from './queue-errors.tsx'
import { Headline } from './queue-headline.tsx'
import { JobsByStatus, Tiles, WorkersOfQueue, type QueueNow } from './queue-now.tsx'
import { Settings } from './queue-settings.tsx'

/** So many of the workers of a queue are told. */
const MOST_WORKERS = 20

/** One queue: how it goes, what goes wrong, and what can be done about it. */
export const queuePage: Page = {
  path: '/queues/:queue',
  role: 'viewer',
  query: { span: { type: 'string', enum: Object.keys(SPANS), default: '1h' } },
  open: async (visit) => {
    const { query, links } = visit
    const span = (query['span'] ?? '1h') as Span
    const seen = await readQueuePage(visit, span)
    const { queue, now, series, causes } = seen
    return {
      title: queue.name,
      room: 'overview',
      trail: [['Overview', links.overview()]],
      parts: [
        {
          live: 'headline',
          content: <Headline queue={queue} behind={now.behind} visit={visit} />,
        },
        {
          live: 'tiles',
          content: <Tiles {...seen} span={span} />,
        },
        { content: <Spans name={queue.name} span={span} links={links} /> },
        { live: 'charts', content: <QueueCharts series={series} /> },
        { live: 'errors', content: <QueueErrors queue={queue} causes={causes} links={links} /> },
        {
          live: 'jobs',
          content: (
            <div class="columns">
              <JobsByStatus queue={queue} links={links} />
              <Settings queue={queue} links={links} />
            </div>
          ),
        },
        {
          live: 'workers',
          content: <WorkersOfQueue queue={queue} workers={now.workers} links={links} />,
        },
      ],
    }
  },
}

/** What is shown, each part as old as it may be. */
interface Seen {
  readonly queue: QueueAtAGlance
  readonly now: QueueNow
  readonly backlog: Backlog
  readonly series: Series
  readonly causes: Causes
}

/** One after the other: a page takes one connection of the application's pool. */
async function readQueuePage({ parts, path, shared }: Visit, span: Span): Promise<Seen> {
  const { store } = parts
  const name = path['queue'] ?? ''
  const read = <T,>(
    what: string,
    load: (queue: QueueRow, tx: DBTX) => Promise<T>,
    { looking = look, maxAgeMs }: { looking?: typeof look; maxAgeMs?: number } = {},
  ): Promise<T> =>
    shared.read(
      `${what} of ${name}`,
      () => looking(parts, async (tx) => load(await requireQueue(parts, name, tx), tx)),
      maxAgeMs,
    )
  const { maxAgeMs, ...length } = SPANS[span]
  const freely = { looking: lookFreely }
  return {
    queue: await shared.read(`queue ${name}`, () => glance(parts, name)),
    now: await read('now', async ({ id }, tx) => ({
      behind: await findQueuesBehind(store, id, tx),
      oldestDueAt: await findOldestDue(store, id, tx),
      workers: await listWorkersOfQueue(store, { queueId: id, limit: MOST_WORKERS }, tx),
    })),
    backlog: await read('backlog', ({ id }, tx) => backlogOf(store, id, tx), {
      ...freely,
      maxAgeMs: 3_000,
    }),
    series: await read(`series ${span}`, ({ id }, tx) => readSeries(store, id, length, tx), {
      ...freely,
      maxAgeMs,
    }),
    causes: await read('causes', (queue, tx) => readCausesOfQueue(parts, queue, tx), {
      maxAgeMs: 5_000,
    }),
  }
}

function Spans({ name, span, links }: { name: string; span: Span; links: Links }): Markup {
  return (
    <nav class="tabs" aria-label="How far back">
      {Object.entries(SPANS).map(([key, { name: words }]) => (
        <a
          href={links.queue(name, key === '1h' ? {} : { span: key })}
          aria-current={key === span ? 'page' : undefined}
        >
          {words}
        </a>
      ))}
    </nav>
  )
}
