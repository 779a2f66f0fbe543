import type { Child } from 'hono/jsx'
import type { Role } from '../auth.ts'
import { may, type Markup, type Visit } from './page.ts'

/** Something that whoever presses a button may be asked first. */
export interface Field {
  readonly name: string
  readonly label: string
  /** `json` is read as JSON before it is sent, and must be some; `number` too. @default 'text' */
  readonly kind?: 'text' | 'json' | 'number'
  readonly value?: string
  readonly placeholder?: string
}

/** A request to the JSON API that a button makes. */
export interface Action {
  readonly method: 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** Below where the dashboard is mounted: `/api/jobs/7/cancel`. */
  readonly path: string
  readonly body?: object
  /** What is asked before: a headline, and a sentence on what will happen. */
  readonly title: string
  readonly text?: string
  /** Fields of the body that are asked for. Those left empty are not sent. */
  readonly fields?: readonly Field[]
  /** Where rows of the page's list are selected, their ids (`data-key`) are sent as `ids` in place of the body's filter. */
  readonly ofSelection?: boolean
  /** First it is asked with `dryRun` what it will hit, and that is shown. */
  readonly preview?: boolean
  /** It cannot be taken back. */
  readonly danger?: boolean
  /** Where to go when it is done. @default the page stays */
  readonly goTo?: string
  /** What is said when it is done. */
  readonly done?: string
}

/** A button that whoever may not press it does not see. `hotkey` presses it as well: see `layout.tsx`. */
export function ActionButton(props: {
  visit: Visit
  role: Role
  action: Action
  children: Child
  hotkey?: string
  quiet?: boolean
}): Markup {
  const { visit, role, action, children, hotkey, quiet = false } = props
  if (!may(visit, role)) return null
  const classes = ['button', action.danger === true ? 'danger' : '', quiet ? 'quiet' : '']
  return (
    <button
      type="button"
      class={classes.filter((name) => name !== '').join(' ')}
      data-key={`${action.method} ${action.path}`}
      data-action={JSON.stringify(action)}
      data-hotkey={hotkey}
      aria-keyshortcuts={hotkey}
    >
      {children}
    </button>
  )
}
