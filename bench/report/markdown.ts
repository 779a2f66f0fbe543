export type Alignment = 'left' | 'right'

/** A chart on the page: its file, beside the page, and what it shows for those who can't see it. */
export interface ChartLink {
  readonly file: string
  readonly alternative: string
}

/** A table as GitHub renders it. Cells are Markdown already. */
export function table(
  columns: readonly (readonly [title: string, alignment: Alignment])[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = columns.map(([, alignment]) => (alignment === 'left' ? '---' : '--:'))
  return [line(columns.map(([title]) => title)), `|${rule.join('|')}|`, ...rows.map(line)].join(
    '\n',
  )
}

/** Text of others (an error, a title) that must not be taken for Markdown, on one line and not endless. */
export function plain(text: string, longest = 300): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  const short = line.length > longest ? `${line.slice(0, longest - 1)}…` : line
  return short
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]|#~]/g, (special) => `\\${special}`)
}

/** A value in code type; a bar in it would end a cell. */
export function code(text: string): string {
  const safe = text.replaceAll('`', "'").replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')
  return `\`${safe}\``
}

/** Blocks of Markdown with an empty line between them; empty ones fall away. */
export function blocks(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n')
}

export function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n')
}

const BEGIN = '<!-- measured: begin -->'
const END = '<!-- measured: end -->'

/** Puts what was measured between the page's markers and leaves the rest of it as somebody wrote it. */
export function replaceMeasured(page: string, measured: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  const isOnce = page.lastIndexOf(BEGIN) === begin && page.lastIndexOf(END) === end
  if (begin === -1 || end < begin || !isOnce) {
    throw new Error(
      `The page must have ${BEGIN} and, below it, ${END}, once each: the report goes between them.`,
    )
  }
  return `${page.slice(0, begin)}${BEGIN}\n\n${measured.trim()}\n\n${page.slice(end)}`
}

/** A page for a report that does not go beside what somebody wrote. */
export const EMPTY_PAGE = `# Benchmarks\n\n${BEGIN}\n${END}\n`
