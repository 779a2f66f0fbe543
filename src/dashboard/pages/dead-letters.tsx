import { listDeadLetterQueues, type DeadLetterQueue } from '../../store/dead-letter-queues.ts'
import { readArrivals, type Arrivals } from '../arrivals.ts'
import { look } from '../route.ts'
import { Arrived } from './arrived.tsx'
import { Behind } from './behind.tsx'
import { openDeadLetterQueue } from './dead-letter-queue.tsx'
import { Count, Empty } from './elements.tsx'
import { showWhole } from './figures.ts'
import type { Links } from './links.ts'
import type { Markup, Page, View, Visit } from './page.ts'

/** So many dead-letter queues are told. */
const MOST_QUEUES = 200

/** What failed for good and was put aside: all of it, or that of one queue by its causes. */
export const deadLettersPage: Page = {
  path: '/dead-letters',
  role: 'viewer',
  query: { queue: { type: 'string', maxLength: 200 } },
  open: async (visit) => {
    const arrivals = await readArrivals(visit.parts, visit.shared)
    const name = visit.query['queue']
    return typeof name === 'string'
      ? openDeadLetterQueue(visit, name, arrivals)
      : openAll(visit, arrivals)
  },
}

async function openAll({ parts, shared, links }: Visit, arrivals: Arrivals): Promise<View> {
  const queues = await shared.read('dead-letter queues', () =>
    look(parts, (tx) => listDeadLetterQueues(parts.store, MOST_QUEUES, tx)),
  )
  return {
    title: 'Dead letters',
    room: 'dead-letters',
    parts: [
      {
        content: (
          <header class="headline">
            <h1>Dead letters</h1>
            <p>
              Jobs that failed for good, kept apart until somebody sends them back or deletes them.
            </p>
          </header>
        ),
      },
      {
        live: 'queues',
        content:
          queues.length === 0 ? (
            <NoQueues />
          ) : (
            <Queues queues={queues} arrivals={arrivals} links={links} />
          ),
      },
    ],
  }
}

const EXAMPLE = `new JobQueue(db, worker, { queueName: 'emails', dlq: 'emails-dead' })`

function NoQueues(): Markup {
  return (
    <Empty title="No queue has a dead-letter queue">
      <p>
        A job that has failed for good stays in its own queue, among those that work. With a
        dead-letter queue it goes there instead, keeps its errors and its arguments, and can be sent
        back when what was wrong is mended. A queue gets one by its option:
      </p>
      <pre>
        <code>{EXAMPLE}</code>
      </pre>
    </Empty>
  )
}

function Queues(props: {
  queues: readonly DeadLetterQueue[]
  arrivals: Arrivals
  links: Links
}): Markup {
  const { queues, arrivals, links } = props
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Dead-letter queues">
        <table class="list">
          <thead>
            <tr>
              <th>Dead-letter queue</th>
              <th class="number">Jobs</th>
              <th class="number">Came in the last hour</th>
              <th class="number">In the last day</th>
              <th>From</th>
            </tr>
          </thead>
          <tbody>
            {queues.map((queue) => (
              <Queue queue={queue} arrivals={arrivals} links={links} />
            ))}
          </tbody>
        </table>
      </div>
      {queues.length < MOST_QUEUES ? null : (
        <p class="notice">{`These are the first ${showWhole(MOST_QUEUES)} of them.`}</p>
      )}
    </>
  )
}

function Queue(props: { queue: DeadLetterQueue; arrivals: Arrivals; links: Links }): Markup {
  const { queue, arrivals, links } = props
  const { id, name, depth, behind } = queue
  const href = links.deadLetters({ queue: name })
  return (
    <tr data-key={name} data-row={href} tabIndex={-1}>
      <td>
        <a href={href}>{name}</a>
      </td>
      <td class="number">
        <Count count={depth} />
      </td>
      <td class="number">
        <Arrived id={id} counts={arrivals.hour} />
      </td>
      <td class="number">
        <Arrived id={id} counts={arrivals.day} />
      </td>
      <td>
        <Behind behind={behind} links={links} />
      </td>
    </tr>
  )
}
