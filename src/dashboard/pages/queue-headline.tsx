import type { QueuesBehind } from '../../store/dead-letter-queues.ts'
import type { QueueAtAGlance } from '../../store/glance.ts'
import { ActionButton } from './action.tsx'
import { Behind } from './behind.tsx'
import { Ago } from './elements.tsx'
import type { Markup, Visit } from './page.ts'

/** What a queue is, whether it is paused, and what can be done with it. */
export function Headline(props: {
  queue: QueueAtAGlance
  behind: QueuesBehind
  visit: Visit
}): Markup {
  const { queue, behind, visit } = props
  const { name, fifo, paused } = queue
  return (
    <>
      <header class="headline">
        <h1>{name}</h1>
        {fifo === true ? <span class="badge">FIFO</span> : null}
        {behind.count > 0 ? <span class="badge">dead-letter queue</span> : null}
        {paused === null ? null : <span class="status paused">paused</span>}
        <div class="actions">
          <a class="button" href={visit.links.jobs(name)}>
            Jobs
          </a>
          <Enqueue visit={visit} path={apiPath(name)} />
          {paused === null ? (
            <Pause visit={visit} path={apiPath(name)} />
          ) : (
            <Resume visit={visit} path={apiPath(name)} />
          )}
        </div>
        {behind.count === 0 ? null : (
          <p>
            Failed jobs of <Behind behind={behind} links={visit.links} /> come here.{' '}
            <a href={visit.links.deadLetters({ queue: name })}>See why, and send them back</a>
          </p>
        )}
      </header>
      <Paused queue={queue} />
    </>
  )
}

function apiPath(name: string): string {
  return `/api/queues/${encodeURIComponent(name)}`
}

function Paused({ queue: { paused } }: { queue: QueueAtAGlance }): Markup {
  if (paused === null) return null
  const { at, by, reason } = paused
  return (
    <ul class="warnings">
      <li class="warning">
        <strong>
          {`Paused${by === null ? '' : ` by ${by}`}`} <Ago at={at} />
        </strong>
        <p>{reason ?? 'No reason was given.'}</p>
        <p>
          Nothing of it starts in any process until somebody resumes it; what ran goes on to its
          end.
        </p>
      </li>
    </ul>
  )
}

function Enqueue({ visit, path }: { visit: Visit; path: string }): Markup {
  return (
    <ActionButton
      visit={visit}
      role="operator"
      action={{
        method: 'POST',
        path: `${path}/jobs`,
        body: { jobs: [{}] },
        title: 'Enqueue a job',
        text: 'It runs as soon as a worker is free, like any other. Middlewares do not see it.',
        fields: [{ name: 'jobs.0.args', label: 'Arguments, as JSON', kind: 'json', value: '{}' }],
        done: 'Enqueued.',
      }}
    >
      Enqueue
    </ActionButton>
  )
}

function Pause({ visit, path }: { visit: Visit; path: string }): Markup {
  return (
    <ActionButton
      visit={visit}
      role="operator"
      hotkey="p"
      action={{
        method: 'POST',
        path: `${path}/pause`,
        title: 'Pause the queue',
        text: 'In every process nothing of it starts any more; what runs goes on to its end.',
        fields: [{ name: 'reason', label: 'Why, for whoever finds it paused' }],
        done: 'Paused.',
      }}
    >
      Pause
    </ActionButton>
  )
}

function Resume({ visit, path }: { visit: Visit; path: string }): Markup {
  return (
    <ActionButton
      visit={visit}
      role="operator"
      hotkey="p"
      action={{
        method: 'POST',
        path: `${path}/resume`,
        title: 'Resume the queue',
        text: 'What is due starts at once.',
        done: 'Resumed.',
      }}
    >
      Resume
    </ActionButton>
  )
}
