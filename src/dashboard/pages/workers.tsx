import { readWorkerList, type ShownWorker } from '../api/workers.ts'
import { pageParameters } from '../api/shapes.ts'
import { Ago, Empty, Nothing, Pager } from './elements.tsx'
import { showBytes, showDuration, showWhole } from './figures.ts'
import type { Links } from './links.ts'
import type { Markup, Page, Part } from './page.ts'

/** More that live are not shown at once. */
const MOST_LIVING = 200
/** Of each worker so many queues are named. */
const MOST_QUEUES = 5
/** As the doctor has it: an event loop that stands still for so much of the lease misses heartbeats. */
const BLOCKED_FOR = 1 / 3

/** The processes that receive, and those that did. */
export const workersPage: Page = {
  path: '/workers',
  role: 'viewer',
  query: pageParameters(200),
  open: async ({ parts, query, links, shared }) => {
    const isFirst = query['cursor'] === undefined
    const { workers: ended, next } = await shared.read(`ended ${JSON.stringify(query)}`, () =>
      readWorkerList(parts, { ...query, ended: true }),
    )
    const list = <Ended workers={ended} links={links} />
    const living: Part[] = []
    if (isFirst) {
      const { workers, next: more } = await shared.read('living', () =>
        readWorkerList(parts, { ended: false, limit: MOST_LIVING }),
      )
      const content = <Living workers={workers} hasMore={more !== null} links={links} />
      living.push({ live: 'living', content })
    }
    return {
      title: 'Workers',
      room: 'workers',
      parts: [
        {
          content: (
            <header class="headline">
              <h1>Workers</h1>
              <p>
                Processes that receive, as their last heartbeats told. Those that ended are known
                for a day.
              </p>
            </header>
          ),
        },
        ...living,
        isFirst ? { live: 'ended', content: list } : { content: list },
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

function limitOf({ limit }: Readonly<Record<string, unknown>>): { limit?: number } {
  return typeof limit === 'number' ? { limit } : {}
}

function Living(props: {
  workers: readonly ShownWorker[]
  hasMore: boolean
  links: Links
}): Markup {
  const { workers, hasMore, links } = props
  return (
    <section class="panel">
      <h2>Living</h2>
      {workers.length === 0 ? (
        <Empty title="Nobody receives">
          <p>A worker is there as soon as a process receives a queue, or works off what is due:</p>
          <pre>
            <code>{`await emails.receive({ signal })
npx millrace work ./queues.js`}</code>
          </pre>
        </Empty>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Workers that live">
          <table class="list">
            <thead>
              <tr>
                <NameHeaders />
                <th class="number" title="Handlers that have not returned">
                  In flight
                </th>
                <th
                  class="number"
                  title="How late the event loop was at worst between two heartbeats"
                >
                  Loop lag
                </th>
                <th class="number" title="Resident memory">
                  Memory
                </th>
                <th class="number" title="What of the JavaScript heap is used">
                  Heap
                </th>
                <th>Heartbeat</th>
                <th class="number" title="How long it may be silent before it is taken for dead">
                  Lease
                </th>
                <th>Started</th>
                <th>Version</th>
              </tr>
            </thead>
            <tbody>
              {workers.map((worker) => (
                <LivingOne worker={worker} links={links} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {hasMore ? <p class="notice">These are the newest {showWhole(MOST_LIVING)}.</p> : null}
    </section>
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

function Ended({ workers, links }: { workers: readonly ShownWorker[]; links: Links }): Markup {
  return (
    <section class="panel">
      <h2>Ended</h2>
      {workers.length === 0 ? (
        <Empty title="None ended in the last day" />
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Workers that ended">
          <table class="list">
            <thead>
              <tr>
                <NameHeaders />
                <th>Last heartbeat</th>
                <th>Started</th>
                <th>Version</th>
              </tr>
            </thead>
            <tbody>
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
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

function NameHeaders(): Markup {
  return (
    <>
      <th class="number">Worker</th>
      <th>Host</th>
      <th class="number">Process</th>
      <th>State</th>
      <th title="Every queue that it ever claimed from">Queues</th>
    </>
  )
}

const STATES: Readonly<Record<ShownWorker['state'], string>> = {
  alive: 'Heard of within its lease',
  silent: 'Not heard of for a whole lease, and not declared dead',
  dead: 'Declared dead: others free what it held',
  stopped: 'Stopped by itself, holding nothing',
}

function NameCells({ worker, links }: { worker: ShownWorker; links: Links }): Markup {
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
