import {
  listDeadLetterQueues,
  readDeadLettered,
  type DeadLettered,
  type DeadLetterQueue,
} from '../../store/dead-letter-queues.ts'
import { look, lookFreely } from '../route.ts'
import { Behind } from './behind.tsx'
import { openDeadLetterQueue } from './dead-letter-queue.tsx'
import { Count, Empty, Nothing } from './elements.tsx'
import { showWhole } from './figures.ts'
import type { Links } from './links.ts'
import type { Markup, Page, View, Visit } from './page.ts'

/** So many dead-letter queues are told. */
const MOST_QUEUES = 200
/** What went to dead letters in a day is the sum of many minutes of all queues. */
const ARRIVALS_MAX_AGE_MS = 60_000

/** What failed for good and was put aside: all of it, or that of one queue by its causes. */
export const deadLettersPage: Page = {
  path: '/dead-letters',
  role: 'viewer',
  query: { queue: { type: 'string', minLength: 1, maxLength: 200 } },
  open: async (visit) => {
    const arrivals = await readArrivals(visit)
    const name = visit.query['queue']
    return typeof name === 'string'
      ? openDeadLetterQueue(visit, name, arrivals)
      : openAll(visit, arrivals)
  },
}

function readArrivals({ parts, shared }: Visit): Promise<ReadonlyMap<number, DeadLettered>> {
  return shared.read(
    'dead letters of a day',
    () => lookFreely(parts, (tx) => readDeadLettered(parts.store, tx)),
    ARRIVALS_MAX_AGE_MS,
  )
}

async function openAll(
  { parts, shared, links }: Visit,
  arrivals: ReadonlyMap<number, DeadLettered>,
): Promise<View> {
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
  arrivals: ReadonlyMap<number, DeadLettered>
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
              <Queue queue={queue} arrived={arrivals.get(queue.id)} links={links} />
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

function Queue(props: {
  queue: DeadLetterQueue
  arrived: DeadLettered | undefined
  links: Links
}): Markup {
  const { queue, arrived, links } = props
  const { name, depth, behind } = queue
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
        <Arrived jobs={arrived?.hour} />
      </td>
      <td class="number">
        <Arrived jobs={arrived?.day} />
      </td>
      <td>
        <Behind behind={behind} links={links} />
      </td>
    </tr>
  )
}

function Arrived({ jobs = 0 }: { jobs?: number | undefined }): Markup {
  return jobs === 0 ? <Nothing /> : <span>{`+${showWhole(jobs)}`}</span>
}
