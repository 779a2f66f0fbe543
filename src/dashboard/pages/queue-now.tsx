import { STATUSES } from '../../job-filter.ts'
import type { Series } from '../../metrics/series.ts'
import type { Backlog } from '../../metrics/stats.ts'
import type { QueuesBehind } from '../../store/dead-letter-queues.ts'
import type { QueueAtAGlance } from '../../store/glance.ts'
import type { WorkerOfQueue } from '../../store/queue-view.ts'
import { Ago, Count, Duration, Empty, Nothing, Since, Status, Tile } from './elements.tsx'
import { showNumber, showShare } from './figures.ts'
import type { Links } from './links.ts'
import type { Markup } from './page.ts'
import { SPANS, type Span } from './queue-charts.tsx'
import { Table, type Column } from './table.tsx'

/** From this share of failed runs on it is a matter of colour. */
const MANY_FAILURES = 0.05

/** How a queue stands, beside the numbers of its jobs. */
export interface QueueNow {
  readonly behind: QueuesBehind
  /** Since when the job has been due that has waited longest; null: none is due. */
  readonly oldestDueAt: Date | null
  readonly workers: readonly WorkerOfQueue[]
}

/** The figures at the top. */
export function Tiles(props: {
  queue: QueueAtAGlance
  now: QueueNow
  backlog: Backlog
  series: Series
  span: Span
}): Markup {
  const { queue, now, backlog, series, span } = props
  const { failureRate } = series.total
  return (
    <dl class="tiles">
      <Tile name="Available">
        <Count count={queue.counts.available} />
      </Tile>
      <Tile name="Running">
        <Count count={queue.counts.running} />
      </Tile>
      <Tile name="Oldest waiting">
        {now.oldestDueAt === null ? (
          <Nothing because="none is due" />
        ) : (
          <Since at={now.oldestDueAt} />
        )}
      </Tile>
      <Tile name="Jobs per second" hint="over five minutes">
        {showNumber(backlog.perSecond)}
      </Tile>
      <Tile
        name="Failed runs"
        tone={(failureRate ?? 0) >= MANY_FAILURES ? 'bad' : undefined}
        hint={`over ${SPANS[span].name}`}
      >
        {failureRate === null ? <Nothing because="none ended" /> : showShare(failureRate)}
      </Tile>
      <TimeToDrain backlog={backlog} isWorkedOff={now.behind.count === 0} />
    </dl>
  )
}

/** A dead-letter queue mostly waits for a person. */
function TimeToDrain(props: { backlog: Backlog; isWorkedOff: boolean }): Markup {
  const { backlog, isWorkedOff } = props
  const { ready, isExact, drainMs } = backlog
  const due = `${isExact ? '' : '≈ '}${showNumber(ready)} due`
  if (ready === 0) {
    return (
      <Tile name="Time to drain">
        <Nothing because="nothing is due" />
      </Tile>
    )
  }
  return (
    <Tile
      name="Time to drain"
      tone={drainMs === null && isWorkedOff ? 'bad' : undefined}
      hint={drainMs === null ? `${due}, and none ends` : `${due}, at this pace`}
    >
      {/* No digits that mean nothing. */}
      <Duration ms={drainMs === null ? null : Number(drainMs.toPrecision(2))} />
    </Tile>
  )
}

const OF_STATUSES: readonly Column[] = [{ name: 'Status' }, { name: 'Jobs', isNumber: true }]

/** How many jobs stand where, with the way to them. */
export function JobsByStatus({ queue, links }: { queue: QueueAtAGlance; links: Links }): Markup {
  return (
    <section class="panel">
      <h2>Jobs by status</h2>
      <Table label="Jobs by status" columns={OF_STATUSES}>
        {STATUSES.map((status) => (
          <tr data-key={status}>
            <td>
              <a href={links.jobs(queue.name, { status })}>
                <Status status={status} />
              </a>
            </td>
            <td class="number">
              <Count count={queue.counts[status]} />
            </td>
          </tr>
        ))}
      </Table>
    </section>
  )
}

const OF_WORKERS: readonly Column[] = [
  { name: 'Host' },
  { name: 'Process', isNumber: true },
  { name: 'State' },
  { name: 'Started' },
  { name: 'Version' },
]

/** Who works on it. */
export function WorkersOfQueue(props: {
  queue: QueueAtAGlance
  workers: readonly WorkerOfQueue[]
  links: Links
}): Markup {
  const { queue, workers, links } = props
  return (
    <section class="panel">
      <h2>Workers</h2>
      {workers.length === 0 ? (
        <Empty title="Nobody receives this queue">
          <p>Its jobs wait until a process does:</p>
          <pre>
            <code>await queue.receive()</code>
          </pre>
        </Empty>
      ) : (
        <>
          <Table label="Workers of this queue" columns={OF_WORKERS}>
            {workers.map((worker) => (
              <WorkerRow worker={worker} fifo={queue.fifo === true} />
            ))}
          </Table>
          <p class="muted">
            Processes that have claimed from it and live. <a href={links.workers()}>All workers</a>
          </p>
        </>
      )}
    </section>
  )
}

function WorkerRow({ worker, fifo }: { worker: WorkerOfQueue; fifo: boolean }): Markup {
  const { id, host, pid, version, startedAt, isSilent, isOwner } = worker
  const state = isSilent ? 'silent' : 'alive'
  return (
    <tr data-key={String(id)}>
      <td>
        {host} {fifo && isOwner ? <span class="badge">owner</span> : null}
      </td>
      <td class="number">{pid}</td>
      <td>
        <span class={`status ${state}`}>{state}</span>
      </td>
      <td>
        <Ago at={startedAt} />
      </td>
      <td>{version}</td>
    </tr>
  )
}
