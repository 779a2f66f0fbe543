import type { Look, Paint } from './paint.ts'
import { cutTo, padTo, printable, widthOf } from './printable.ts'

const GAP = 2
/** A column is not made narrower than this to fit the others. */
const NARROWEST = 6

/** A column of a table for people. */
export interface Column<Row> {
  readonly title: string
  /** What stands in a row; it is made printable. */
  readonly text: (row: Row) => string
  /** @default 'left' */
  readonly align?: 'left' | 'right'
  readonly look?: (row: Row) => Look | undefined
  /** Whether the column gives way when the terminal is too narrow. */
  readonly isElastic?: boolean
}

/** A table as lines: a title above each column, and no line wider than the terminal. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, paint }: { width: number; paint: Paint },
): string[] {
  const cells = rows.map((row) => columns.map((column) => printable(column.text(row))))
  const widths = widthsOf(columns, cells, width)
  const lineOf = (texts: readonly string[], look: (index: number) => Look | undefined): string =>
    texts
      .map((text, index) => {
        const padded = padTo(
          cutTo(text, widths[index] ?? 0),
          widths[index] ?? 0,
          columns[index]?.align,
        )
        const isLast = index === columns.length - 1
        const shown = isLast && columns[index]?.align !== 'right' ? padded.trimEnd() : padded
        const chosen = look(index)
        return chosen === undefined ? shown : paint(chosen, shown)
      })
      .join(' '.repeat(GAP))
  const titles = columns.map((column) => column.title)
  return [
    lineOf(titles, () => 'quiet'),
    ...rows.map((row, at) => lineOf(cells[at] ?? [], (index) => columns[index]?.look?.(row))),
  ]
}

/** As wide as their widest cells; elastic ones, from the last on, give way to what the terminal has. */
function widthsOf<Row>(
  columns: readonly Column<Row>[],
  cells: readonly (readonly string[])[],
  width: number,
): number[] {
  const widths = columns.map(({ title }, index) =>
    cells.reduce((widest, row) => Math.max(widest, widthOf(row[index] ?? '')), widthOf(title)),
  )
  let tooMuch = widths.reduce((sum, each) => sum + each, GAP * (columns.length - 1)) - width
  for (let index = columns.length - 1; index >= 0 && tooMuch > 0; index--) {
    if (columns[index]?.isElastic !== true) continue
    const own = widths[index] ?? 0
    const given = Math.min(tooMuch, Math.max(0, own - NARROWEST))
    widths[index] = own - given
    tooMuch -= given
  }
  return widths
}
