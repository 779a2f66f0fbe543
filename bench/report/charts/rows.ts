import { card, MARGIN, TOP, WIDTH, type Caption } from './card.ts'
import { scaleFor, type Scale } from './scale.ts'
import { element, line, text, widthOf } from './svg.ts'
import type { Colour } from './theme.ts'
import { formatTick } from '../numbers.ts'

const ROW = 34
const BAR = 18

/** A line of a chart of rows: one contender. */
export interface Row {
  readonly label: string
  readonly colour: Colour
  /** Millrace as most will run it; its other rows are paler. */
  readonly isMain: boolean
  /** Undefined: there is no figure; `printed` says why. */
  readonly value: number | undefined
  /** From the least to the most, or from p50 to p99. */
  readonly range: readonly [from: number, to: number] | undefined
  readonly printed: string
}

/** Horizontal bars, with whiskers from the least to the most. */
export function barChart(caption: Caption, rows: readonly Row[]): string {
  return chartOfRows(caption, rows, drawBar)
}

/** From p50, a full dot, to p99, an open one. */
export function rangeChart(caption: Caption, rows: readonly Row[]): string {
  return chartOfRows(caption, rows, drawRange)
}

/** The bit of the chart that a row is drawn on. */
interface Lane {
  readonly middle: number
  readonly left: number
  readonly x: (value: number) => number
}

/** Peers are neutral, so that Millrace stands out. */
function barStyle({ colour, isMain }: Row): string {
  if (colour === 'ceiling') return 'outline'
  if (colour !== 'millrace') return 'bar'
  return isMain ? 'f-millrace' : 'pale'
}

type Draw = (row: Row, value: number, lane: Lane) => string[]

function chartOfRows(caption: Caption, rows: readonly Row[], draw: Draw): string {
  const scale = scaleFor(rows.flatMap(({ value, range }) => [value ?? 0, ...(range ?? [])]))
  const widest = (texts: readonly string[]): number =>
    Math.max(0, ...texts.map((content) => widthOf(content, 13)))
  const left = MARGIN + widest(rows.map(({ label }) => label)) + 14
  const printed = rows.filter(({ value }) => value !== undefined).map((row) => row.printed)
  const right = WIDTH - MARGIN - widest(printed) - 12
  const x = (value: number): number => left + scale.place(value) * (right - left)
  const bottom = TOP + rows.length * ROW + 4
  const drawing = rows.flatMap((row, index) => {
    const lane = { middle: TOP + index * ROW + ROW / 2, left, x }
    return [
      label(row, lane),
      ...(row.value === undefined ? [missing(row, lane)] : draw(row, row.value, lane)),
    ]
  })
  const subtitle = scale.isLogarithmic
    ? `${caption.subtitle} · logarithmic scale`
    : caption.subtitle
  return card({ ...caption, subtitle }, bottom + 36, [...axis(scale, x, bottom), ...drawing])
}

function axis({ ticks }: Scale, x: (value: number) => number, bottom: number): string[] {
  return ticks.flatMap((tick) => [
    line(x(tick), TOP, x(tick), bottom, 'grid'),
    text(x(tick), bottom + 18, formatTick(tick), 'tick', 'middle'),
  ])
}

function label({ label, isMain }: Row, { middle, left }: Lane): string {
  return text(left - 12, middle + 4.5, label, isMain ? 'label strong' : 'label', 'end')
}

function missing({ printed }: Row, { middle, left }: Lane): string {
  return text(left + 6, middle + 4.5, printed, 'label none')
}

function drawBar(row: Row, value: number, { middle, left, x }: Lane): string[] {
  const width = Math.max(1.5, x(value) - left)
  const bar = element('rect', {
    x: left,
    y: middle - BAR / 2,
    width,
    height: BAR,
    rx: 2,
    class: barStyle(row),
  })
  const [from, to] = row.range ?? [value, value]
  const whisker =
    x(to) - x(from) < 3
      ? []
      : [
          line(x(from), middle, x(to), middle, 'whisker'),
          ...[from, to].map((end) => line(x(end), middle - 4, x(end), middle + 4, 'whisker')),
        ]
  return [bar, ...whisker, printedValue(row, Math.max(x(value), x(to)), middle)]
}

function drawRange(row: Row, value: number, { middle, x }: Lane): string[] {
  const { colour } = row
  const [from, to] = row.range ?? [value, value]
  return [
    line(x(from), middle, x(to), middle, `range s-${colour}`),
    element('circle', { cx: x(to), cy: middle, r: 5, class: `hollow s-${colour}` }),
    element('circle', { cx: x(from), cy: middle, r: 6, class: `f-${colour}` }),
    printedValue(row, x(to), middle),
  ]
}

function printedValue({ printed, isMain }: Row, x: number, middle: number): string {
  return text(x + 10, middle + 4.5, printed, isMain ? 'value strong' : 'value')
}
