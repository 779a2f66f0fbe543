import { findQueuesBehind, type QueuesBehind } from '../../store/dead-letter-queues.ts'
import type { QueueAtAGlance } from '../../store/glance.ts'
import { requireQueue } from '../api/known-queue.ts'
import { glance } from '../api/queues.ts'
import type { Arrivals } from '../arrivals.ts'
import { readCausesOfDeadLetters, type Cause, type Causes } from '../causes.ts'
import { look } from '../route.ts'
import { ActionButton } from './action.tsx'
import { Arrived } from './arrived.tsx'
import { Behind } from './behind.tsx'
import { CauseTable, Looked } from './causes.tsx'
import { Count, Empty, Tile } from './elements.tsx'
import { showWhole } from './figures.ts'
import type { Links } from './links.ts'
import type { Markup, View, Visit } from './page.ts'

/** The dead letters of one queue, by what they failed of. */
export async function openDeadLetterQueue(
  visit: Visit,
  name: string,
  arrivals: Arrivals,
): Promise<View> {
  const { parts, shared, links } = visit
  const queue = await shared.read(`queue ${name}`, () => glance(parts, name))
  const { id, behind, causes } = await shared.read(
    `dead letters of ${name}`,
    () =>
      look(parts, async (tx) => {
        const { id } = await requireQueue(parts, name, tx)
        const behind = await findQueuesBehind(parts.store, id, tx)
        return { id, behind, causes: await readCausesOfDeadLetters(parts, id, tx) }
      }),
    3_000,
  )
  return {
    title: name,
    room: 'dead-letters',
    trail: [['Dead letters', links.deadLetters()]],
    parts: [
      { live: 'headline', content: <Headline name={name} behind={behind} visit={visit} /> },
      { live: 'tiles', content: <Tiles id={id} queue={queue} arrivals={arrivals} /> },
      { live: 'causes', content: <CausesOf name={name} causes={causes} visit={visit} /> },
    ],
  }
}

function Headline(props: { name: string; behind: QueuesBehind; visit: Visit }): Markup {
  const { name, behind, visit } = props
  const { links } = visit
  return (
    <header class="headline">
      <h1>{name}</h1>
      <div class="actions">
        <a class="button" href={links.jobs(name)}>
          Jobs
        </a>
        <a class="button" href={links.queue(name)}>
          Queue
        </a>
        <Redrive name={name} visit={visit} chosen={{ all: true }} title="Redrive all">
          Redrive all
        </Redrive>
      </div>
      <p>
        {behind.count === 0 ? (
          'No queue sends its failed jobs here now.'
        ) : (
          <>
            Jobs of <Behind behind={behind} links={links} /> come here when they failed for good.
          </>
        )}
      </p>
    </header>
  )
}

function Redrive(props: {
  name: string
  visit: Visit
  chosen: { readonly all: true } | { readonly errorText: string }
  title: string
  children: string
}): Markup {
  const { name, visit, chosen, title, children } = props
  return (
    <ActionButton
      visit={visit}
      role="operator"
      action={{
        method: 'POST',
        path: `/api/queues/${encodeURIComponent(name)}/redrive`,
        body: chosen,
        preview: true,
        title,
        text: 'They go back to the queues that they came from, with a fresh set of attempts, and run as soon as a worker is free. What is still wrong will fail again.',
        done: 'Sent back.',
      }}
    >
      {children}
    </ActionButton>
  )
}

function Tiles(props: { id: number; queue: QueueAtAGlance; arrivals: Arrivals }): Markup {
  const { id, queue, arrivals } = props
  const isGrowing = (arrivals.hour.get(id) ?? 0) > 0
  return (
    <dl class="tiles">
      <Tile name="Dead letters">
        <Count count={queue.counts.available} />
      </Tile>
      <Tile name="Came in the last hour" tone={isGrowing ? 'bad' : undefined}>
        <Arrived id={id} counts={arrivals.hour} />
      </Tile>
      <Tile name="Came in the last day">
        <Arrived id={id} counts={arrivals.day} />
      </Tile>
    </dl>
  )
}

function CausesOf(props: { name: string; causes: Causes; visit: Visit }): Markup {
  const { name, causes, visit } = props
  const { links } = visit
  return (
    <section class="panel">
      <h2>Causes</h2>
      {causes.looked === 0 ? (
        <Empty title="No dead letters">
          <p>
            When a job of a queue that has this one as its <code>dlq</code> fails for good, it
            stands here with what it failed of.
          </p>
        </Empty>
      ) : (
        <>
          <Looked causes={causes} one="dead letter" />
          <CauseTable
            causes={causes}
            label="Dead letters by cause"
            links={links}
            column={{ name: 'From', cell: (cause) => <Origins cause={cause} links={links} /> }}
            action={(cause) => <OfCause name={name} cause={cause} visit={visit} />}
          />
        </>
      )}
    </section>
  )
}

function Origins({ cause, links }: { cause: Cause; links: Links }): Markup {
  return (
    <>
      {cause.origins.map(([origin, count]) => (
        <div>
          <a href={links.queue(origin)}>{origin}</a> <small>{showWhole(count)}</small>
        </div>
      ))}
    </>
  )
}

/** What can be done with the jobs of a cause: all that have its text, also beyond those that were looked at. */
function OfCause({ name, cause, visit }: { name: string; cause: Cause; visit: Visit }): Markup {
  const { text } = cause
  if (text === undefined) return null
  return (
    <div class="actions">
      <a class="button quiet" href={visit.links.jobs(name, { errorText: text })}>
        Jobs
      </a>
      {text === `${cause.name}:` ? null : ( // it would mean others, too
        <Redrive name={name} visit={visit} chosen={{ errorText: text }} title="Redrive these">
          Redrive
        </Redrive>
      )}
    </div>
  )
}
