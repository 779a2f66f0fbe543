/**
 * Makes names and texts of others safe for a line of a terminal: a name may hold a newline, an escape
 * sequence that moves the cursor, or a mark that turns the direction of what follows.
 */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what must not come through
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '·')
}

/** The same for a text of several lines, such as a stack: newlines stay. */
export function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join('\n')
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const PLAIN = /^[\u0020-\u007e]*$/
/** What is drawn over the character before it, or not at all. */
const WITHOUT_WIDTH = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]+$/u
/** East Asian wide and full-width characters, and what is drawn as an emoji. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}|\ufe0f/u

/** How many columns of a terminal a printable text takes. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length
  let width = 0
  for (const { segment } of segmenter.segment(text)) width += widthOfSegment(segment)
  return width
}

/** The beginning of a printable text that fits into so many columns, with an ellipsis where it was cut. */
export function cutTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let [kept, width] = ['', 0]
  for (const { segment } of segmenter.segment(text)) {
    width += widthOfSegment(segment)
    if (width > columns - 1) break
    kept += segment
  }
  return columns < 1 ? '' : `${kept}…`
}

/** A printable text in lines of at most so many columns, broken between words. A longer word has a line of its own. */
export function wrapTo(text: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.pop()
    if (line === undefined) lines.push(word)
    else if (widthOf(`${line} ${word}`) <= columns) lines.push(`${line} ${word}`)
    else lines.push(line, word)
  }
  return lines
}

/** The text with spaces up to so many columns. */
export function padTo(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, columns - widthOf(text)))
  return align === 'left' ? text + spaces : spaces + text
}

function widthOfSegment(segment: string): number {
  if (WITHOUT_WIDTH.test(segment)) return 0
  return WIDE.test(segment) ? 2 : 1
}
