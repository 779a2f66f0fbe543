import { Nothing } from './elements.tsx'
import { showWhole } from './figures.ts'
import type { Markup } from './page.ts'

/** How many dead letters came to a queue; without counts they are being counted. */
export function Arrived(props: {
  id: number
  counts: ReadonlyMap<number, number> | undefined
}): Markup {
  const { id, counts } = props
  if (counts === undefined) return <span class="muted">counting</span>
  const count = counts.get(id) ?? 0
  return count === 0 ? <Nothing /> : <span>{`+${showWhole(count)}`}</span>
}
