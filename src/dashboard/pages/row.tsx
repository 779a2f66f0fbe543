import type { Child } from 'hono/jsx'
import type { Markup } from './page.ts'

/** A row that the keys `j` and `k` go to and `Enter` opens, and that can be selected when `label` says of what it is. */
export function Row(props: {
  id: string
  href: string
  /** What the box for selecting the row is called; without it there is none. */
  label?: string
  children: Child
}): Markup {
  const { id, href, label, children } = props
  return (
    <tr data-key={id} data-row={href} tabIndex={-1}>
      {label === undefined ? null : (
        <td class="select">
          <input type="checkbox" value={id} aria-label={label} data-select />
        </td>
      )}
      {children}
    </tr>
  )
}
