import type { JobStatus } from '../../core/job.ts'
import { STATUSES_FOR, type Deed } from '../../where-options.ts'
import type { Role } from '../auth.ts'
import { ActionButton } from './action.tsx'
import type { Asked } from './job-filter.tsx'
import type { Markup, Visit } from './page.ts'

/* What can be done to all jobs that a filter lets pass, or to those of its rows that are selected. */

interface Bulk {
  readonly deed: Deed
  readonly role: Role
  readonly label: string
  readonly done: string
  /** What will happen, for a filter by this status; null: by none. */
  readonly says: (status: JobStatus | null) => string
  readonly hotkey?: string
  readonly danger?: boolean
}

const BULKS: readonly Bulk[] = [
  {
    deed: 'retry',
    role: 'operator',
    label: 'Retry',
    hotkey: 'r',
    done: 'Made available again.',
    says: (status) =>
      `They run again now, with a fresh set of attempts, and keep their errors.${
        status === null
          ? ' Without selected rows these are the failed ones; for cancelled ones, filter by their status.'
          : ''
      }`,
  },
  {
    deed: 'redrive',
    role: 'operator',
    label: 'Redrive',
    done: 'Sent back to where they came from.',
    says: () =>
      'Waiting dead letters go back to the queues that they came from, due now, with a fresh set of attempts.',
  },
  {
    deed: 'cancel',
    role: 'operator',
    label: 'Cancel',
    hotkey: 'c',
    done: 'Cancelled, or asked to end.',
    says: (status) => {
      if (status === 'running') {
        return 'Their processes are asked to end these runs. They can then only finish or be cancelled.'
      }
      const others =
        status === null
          ? ' Without selected rows those that run are left alone; for them, filter by their status.'
          : ''
      return `Jobs that wait are ended without being run, and can be retried.${others}`
    },
  },
  {
    deed: 'delete',
    role: 'admin',
    label: 'Delete',
    hotkey: 'd',
    danger: true,
    done: 'Deleted.',
    says: () =>
      'Jobs that wait or have ended are gone then, with their errors and logs; those that run are left alone. ' +
      'It cannot be taken back.',
  },
]

/** The buttons for what can be done to jobs in the status that is filtered by. */
export function BulkActions(props: { visit: Visit; asked: Asked; isOfDead: boolean }): Markup {
  const { visit, asked, isOfDead } = props
  const { queueName, filter } = asked
  const status = (filter.status ?? null) as JobStatus | null
  const body = Object.keys(filter).length === 0 ? { all: true } : filter
  const which = status === null ? 'jobs' : `${status} jobs`
  const possible = BULKS.filter(
    ({ deed }) =>
      (deed !== 'redrive' || isOfDead) && (status === null || STATUSES_FOR[deed].includes(status)),
  )
  return (
    <>
      {possible.map(({ deed, role, label, done, says, hotkey, danger = false }) => (
        <ActionButton
          visit={visit}
          role={role}
          hotkey={hotkey}
          action={{
            method: 'POST',
            path: `/api/queues/${encodeURIComponent(queueName)}/${deed}`,
            body,
            title: `${label} ${which}`,
            text: says(status),
            ofSelection: true,
            preview: true,
            danger,
            done,
          }}
        >
          {label}
        </ActionButton>
      ))}
    </>
  )
}
