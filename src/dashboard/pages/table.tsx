import type { Child } from 'hono/jsx'
import type { Markup } from './page.ts'

/** A column: its name, and what it means where that takes more words. */
export interface Column {
  readonly name: string
  readonly title?: string
  /** @default false */
  readonly isNumber?: boolean
}

/** A table that may be wider than the window. */
export function Table(props: {
  label: string
  columns: readonly Column[]
  children: Child
}): Markup {
  const { label, columns, children } = props
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="list">
        <thead>
          <tr>
            {columns.map(({ name, title, isNumber }) => (
              <th class={isNumber === true ? 'number' : undefined} title={title}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}
