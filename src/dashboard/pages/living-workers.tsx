import { readWorkerList, type ShownWorker } from '../api/workers.ts'
import { Ago, Empty, Nothing } from './elements.tsx'
import { showBytes, showDuration, showWhole } from './figures.ts'
import type { Links } from './links.ts'
import type { Markup, Part, Visit } from './page.ts'
import { Table, type Column } from './table.tsx'

/** Of each worker so many queues are named. */
const MOST_QUEUES = 5
/** As the doctor has it: an event loop that stands still for so much of the lease misses heartbeats. */
const BLOCKED_FOR = 1 / 3

/** The processes that receive, the newest of them. */
export async function livingPart(
  { parts, links, shared }: Visit,
  { title, most }: { title: string; most: number },
): Promise<Part> {
  const { workers, next } = await shared.read(`living ${most}`, () =>
    readWorkerList(parts, { ended: false, limit: most }),
  )
  return {
    live: 'living',
    content: <Living title={title} workers={workers} hasMore={next !== null} links={links} />,
  }
}

/** What is said of every worker, living or not: `NameCells` says it. */
export const NAMES: readonly Column[] = [
  { name: 'Worker', isNumber: true },
  { name: 'Host' },
  { name: 'Process', isNumber: true },
  { name: 'State' },
  { name: 'Queues', title: 'Every queue that it ever claimed from' },
]

const OF_LIVING: readonly Column[] = [
  ...NAMES,
  { name: 'In flight', isNumber: true, title: 'Handlers that have not returned' },
  {
    name: 'Loop lag',
    isNumber: true,
    title: 'How late the event loop was at worst between two heartbeats',
  },
  { name: 'Memory', isNumber: true, title: 'Resident memory' },
  { name: 'Heap', isNumber: true, title: 'What of the JavaScript heap is used' },
  { name: 'Heartbeat' },
  { name: 'Lease', isNumber: true, title: 'How long it may be silent before it is taken for dead' },
  { name: 'Started' },
  { name: 'Version' },
]

function Living(props: {
  title: string
  workers: readonly ShownWorker[]
  hasMore: boolean
  links: Links
}): Markup {
  const { title, workers, hasMore, links } = props
  return (
    <section class="panel">
      <h2>{title}</h2>
      {workers.length === 0 ? (
        <NobodyReceives />
      ) : (
        <Table label="Workers that live" columns={OF_LIVING}>
          {workers.map((worker) => (
            <LivingOne worker={worker} links={links} />
          ))}
        </Table>
      )}
      {hasMore ? (
        <p class="notice">
          These are the newest {showWhole(workers.length)}.{' '}
          <a href={links.workers()}>All workers</a>
        </p>
      ) : null}
    </section>
  )
}

function NobodyReceives(): Markup {
  return (
    <Empty title="Nobody receives">
      <p>A worker is there as soon as a process receives a queue, or works off what is due:</p>
      <pre tabIndex={0}>
        <code>
          {['await emails.receive({ signal })', 'npx millrace work ./queues.js'].join('\n')}
        </code>
      </pre>
    </Empty>
  )
}

function LivingOne({ worker, links }: { worker: ShownWorker; links: Links }): Markup {
  const { inFlight, rssBytes, heapBytes, beatAt, leaseMs, startedAt, version } = worker
  return (
    <tr data-key={String(worker.id)}>
      <NameCells worker={worker} links={links} />
      <td class="number">{inFlight === null ? <Unknown /> : showWhole(inFlight)}</td>
      <td class="number">
        <Lag worker={worker} />
      </td>
      <td class="number">{rssBytes === null ? <Unknown /> : showBytes(rssBytes)}</td>
      <td class="number">{heapBytes === null ? <Unknown /> : showBytes(heapBytes)}</td>
      <td>
        <Ago at={beatAt} />
      </td>
      <td class="number">{showDuration(leaseMs)}</td>
      <td>
        <Ago at={startedAt} />
      </td>
      <td>{version}</td>
    </tr>
  )
}

function Lag({ worker: { eventLoopLagMs, leaseMs } }: { worker: ShownWorker }): Markup {
  if (eventLoopLagMs === null) return <Unknown />
  if (eventLoopLagMs <= leaseMs * BLOCKED_FOR) return <>{showDuration(eventLoopLagMs)}</>
  return <span class="bad-text">blocked for {showDuration(eventLoopLagMs)}</span>
}

function Unknown(): Markup {
  return <Nothing because="not known" />
}

const STATES: Readonly<Record<ShownWorker['state'], string>> = {
  alive: 'Heard of within its lease',
  silent: 'Not heard of for a whole lease, and not declared dead',
  dead: 'Declared dead: others free what it held',
  stopped: 'Stopped by itself, holding nothing',
}

export function NameCells({ worker, links }: { worker: ShownWorker; links: Links }): Markup {
  const { id, host, pid, state, queues } = worker
  const others = queues.slice(MOST_QUEUES)
  return (
    <>
      <td class="number">{id}</td>
      <td>{host}</td>
      <td class="number">{pid}</td>
      <td>
        <span class={`status ${state}`} title={STATES[state]}>
          {state}
        </span>
      </td>
      <td>
        {queues.length === 0 ? <Nothing because="none yet" /> : null}
        {queues.slice(0, MOST_QUEUES).map((name) => (
          <a class="tag" href={links.queue(name)}>
            {name}
          </a>
        ))}
        {others.length === 0 ? null : (
          <small title={others.join(', ')}>and {showWhole(others.length)} more</small>
        )}
      </td>
    </>
  )
}
