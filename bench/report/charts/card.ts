import { element, escapeXml, text } from './svg.ts'
import { STYLE } from './theme.ts'

export const WIDTH = 800
export const MARGIN = 24
/** Where the drawing begins, below title and subtitle. */
export const TOP = 78

/** What every chart says of itself. */
export interface Caption {
  readonly title: string
  /** Unit, which end is better, the kind of scale. */
  readonly subtitle: string
  /** The figures in words, for those who can't see the chart. */
  readonly description: string
}

/** A whole SVG file: a card with its own background, title and subtitle, and the drawing. */
export function card(
  { title, subtitle, description }: Caption,
  height: number,
  drawing: readonly string[],
): string {
  const background = element('rect', {
    x: 0.5,
    y: 0.5,
    width: WIDTH - 1,
    height: height - 1,
    rx: 8,
    class: 'card',
  })
  const content = [
    element('title', { id: 'title' }, escapeXml(title)),
    element('desc', { id: 'desc' }, escapeXml(description)),
    element('style', {}, STYLE),
    background,
    text(MARGIN, 36, title, 'title'),
    text(MARGIN, 56, subtitle, 'sub'),
    ...drawing,
  ]
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${WIDTH} ${height}`,
    width: WIDTH,
    height,
    role: 'img',
    'aria-labelledby': 'title desc',
  }
  return `${element('svg', attributes, `\n${content.join('\n')}\n`)}\n`
}
