import { STATUSES_FOR, type Deed } from '../../where-options.ts'
import { ActionButton, type Field } from './action.tsx'
import { Links } from './links.ts'
import type { Markup, Visit } from './page.ts'
import type { ShownJob } from './shown-job.ts'

/** Arguments are edited in the page up to this size. */
const CHARACTERS_TO_EDIT = 10_000

interface Props {
  readonly visit: Visit
  readonly id: string
  readonly job: ShownJob
  readonly isOfFifo: boolean
  readonly omitted: readonly string[]
}

/** What can be done to a job as it stands. What is not shown of it the API knows. */
export function JobActions(props: Props): Markup {
  const { status, originQueue, cancelRequestedAt } = props.job
  const isPossible = (deed: Deed): boolean => status === null || STATUSES_FOR[deed].includes(status)
  return (
    <div class="actions">
      {isPossible('retry') ? <Retry {...props} /> : null}
      {originQueue !== null && isPossible('redrive') ? <Redrive {...props} /> : null}
      {status === 'available' ? <Edit {...props} /> : null}
      {isPossible('cancel') && cancelRequestedAt === null ? <Cancel {...props} /> : null}
      {isPossible('delete') ? <Delete {...props} /> : null}
    </div>
  )
}

function Retry({ visit, id }: Props): Markup {
  const action = {
    ...({
      method: 'POST',
      path: `/api/jobs/${id}/retry`,
      body: {},
      title: `Retry job ${id}`,
    } as const),
    text: 'It runs again now, with a fresh set of attempts, and keeps its errors.',
    done: 'It is available again.',
  }
  return (
    <ActionButton visit={visit} role="operator" hotkey="r" action={action}>
      Retry
    </ActionButton>
  )
}

function Redrive(props: Props): Markup {
  const { visit, id, job } = props
  const action = {
    ...({ method: 'POST', path: `/api/jobs/${id}/redrive`, body: {} } as const),
    title: `Redrive job ${id}`,
    text: `It goes back to ${job.originQueue}, due now, with a fresh set of attempts and these arguments.`,
    fields: [argsField(props)],
    done: 'It went back to where it came from.',
  }
  return (
    <ActionButton visit={visit} role="operator" action={action}>
      Redrive
    </ActionButton>
  )
}

function Edit(props: Props): Markup {
  const { visit, id, job, isOfFifo } = props
  const priority = job.priority === null ? '' : `; now ${job.priority}`
  const place: readonly Field[] = [
    { name: 'runAt', label: 'Not before', placeholder: 'as it is, or 2030-01-31T12:00:00Z' },
    {
      ...({ name: 'priority', kind: 'number', placeholder: 'as it is' } as const),
      label: `Priority, from 0 (first) to 9 (last)${priority}`,
    },
  ]
  const action = {
    ...({ method: 'PATCH', path: `/api/jobs/${id}`, body: {}, title: `Edit job ${id}` } as const),
    text: `What is left empty stays as it is.${isOfFifo ? ' Its FIFO queue keeps it at its place.' : ''}`,
    fields: [argsField(props), ...(isOfFifo ? [] : place)],
    done: 'It was changed.',
  }
  return (
    <ActionButton visit={visit} role="operator" action={action}>
      Edit
    </ActionButton>
  )
}

function Cancel({ visit, id, job }: Props): Markup {
  const action = {
    ...({
      method: 'POST',
      path: `/api/jobs/${id}/cancel`,
      body: {},
      title: `Cancel job ${id}`,
    } as const),
    text:
      job.status === 'running'
        ? 'Its process is asked to end the run. The job can then only finish or be cancelled.'
        : 'It ends without being run, and can be retried.',
    done: 'It is cancelled, or asked to end.',
  }
  return (
    <ActionButton visit={visit} role="operator" hotkey="c" action={action}>
      Cancel
    </ActionButton>
  )
}

function Delete({ visit, id, job }: Props): Markup {
  const belowBase = new Links('')
  const action = {
    ...({ method: 'DELETE', path: `/api/jobs/${id}`, title: `Delete job ${id}` } as const),
    text: 'It is gone then, with its errors and its log. It cannot be taken back.',
    goTo: job.queue === null ? belowBase.overview() : belowBase.jobs(job.queue),
    ...{ danger: true, done: `The job ${id} was deleted.` },
  }
  return (
    <ActionButton visit={visit} role="admin" hotkey="d" action={action}>
      Delete
    </ActionButton>
  )
}

/**
 * The arguments as they are, to be changed: where all of them are known here. What was redacted must not be sent back in
 * the place of what it hides.
 */
function argsField({ visit, job, omitted }: Props): Field {
  const field = { name: 'args', label: 'Arguments, as JSON', kind: 'json' } as const
  const text: string | undefined = JSON.stringify(job.args, null, 2)
  const isKnown = !visit.parts.redactor.isActive && !omitted.includes('args')
  if (isKnown && text !== undefined && text.length <= CHARACTERS_TO_EDIT) {
    return { ...field, value: text }
  }
  return { ...field, placeholder: 'as they are' }
}
