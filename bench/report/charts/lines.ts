import { formatTick } from '../numbers.ts'
import { card, MARGIN, TOP, WIDTH, type Caption } from './card.ts'
import { scaleFor, spreadOut, type Scale } from './scale.ts'
import { element, line, text, widthOf } from './svg.ts'
import type { Colour } from './theme.ts'

const HEIGHT = 320
const LABEL_GAP = 17

/** One contender's curve. */
export interface Curve {
  readonly label: string
  readonly colour: Colour
  /** For whoever is at its defaults, beside the same library at its best. */
  readonly isDashed: boolean
  /** Millrace as most will run it. */
  readonly isMain: boolean
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** The axis along the bottom: named places, evenly apart or where their number says. */
export interface Bottom {
  readonly title: string
  readonly places: readonly (readonly [x: number, name: string])[]
  /** This place is of another kind than those before it: curves do not lead to it. */
  readonly apart?: number
}

/** Curves with their names at their ends, so that no legend is needed. */
export function lineChart(caption: Caption, curves: readonly Curve[], bottom: Bottom): string {
  const drawn = curves.filter(({ points }) => points.length > 0)
  const scale = scaleFor(drawn.flatMap(({ points }) => points.map(([, y]) => y)))
  const left = MARGIN + 44
  const right = WIDTH - MARGIN - 30 - Math.max(0, ...drawn.map(({ label }) => widthOf(label, 13)))
  const xs = [
    ...bottom.places.map(([x]) => x),
    ...drawn.flatMap(({ points }) => points.map(([x]) => x)),
  ]
  const [least, most] = [Math.min(...xs), Math.max(...xs)]
  const frame: Frame = {
    left,
    right,
    floor: TOP + HEIGHT,
    x: (value) => left + 12 + ((value - least) / (most - least || 1)) * (right - left - 12),
    y: (value) => TOP + HEIGHT - scale.place(value) * HEIGHT,
  }
  const subtitle = scale.isLogarithmic
    ? `${caption.subtitle} · logarithmic scale`
    : caption.subtitle
  // Millrace is drawn last, above the others.
  const order = drawn.toSorted((one, other) => Number(one.isMain) - Number(other.isMain))
  return card({ ...caption, subtitle }, frame.floor + 62, [
    ...axes(scale, bottom, frame),
    ...order.map((curve) => draw(curve, frame, bottom.apart)),
    ...names(drawn, frame, most),
  ])
}

interface Frame {
  readonly left: number
  readonly right: number
  readonly floor: number
  readonly x: (value: number) => number
  readonly y: (value: number) => number
}

function axes({ ticks }: Scale, bottom: Bottom, { left, right, floor, x, y }: Frame): string[] {
  return [
    ...ticks.flatMap((tick) => [
      line(left, y(tick), right, y(tick), 'grid'),
      text(left - 8, y(tick) + 4, formatTick(tick), 'tick', 'end'),
    ]),
    line(left, floor, right, floor, 'axis'),
    ...bottom.places.map(([place, name]) => text(x(place), floor + 20, name, 'tick', 'middle')),
    text((left + right) / 2, floor + 44, bottom.title, 'sub', 'middle'),
  ]
}

function draw(
  { colour, isDashed, isMain, points }: Curve,
  { x, y }: Frame,
  apart?: number,
): string {
  const path = points.map(([px, py], index) => {
    const command = index === 0 || px === apart ? 'M' : 'L'
    return `${command}${place(x(px))} ${place(y(py))}`
  })
  const style = `curve s-${colour}${isMain ? ' bold' : ''}${isDashed ? ' dashed' : ''}`
  const dots = points.map(([px, py]) =>
    element('circle', { cx: x(px), cy: y(py), r: isMain ? 4 : 3, class: `f-${colour}` }),
  )
  return [element('path', { d: path.join(''), class: style }), ...dots].join('')
}

function place(value: number): string {
  return String(Math.round(value * 10) / 10)
}

/** Each name beside its curve's end, moved where another name is, with a thin line to where it belongs. */
function names(curves: readonly Curve[], { x, y, floor, right }: Frame, last: number): string[] {
  const ends = curves.map(({ points }) => points.at(-1) ?? [0, 0])
  const spread = spreadOut(
    ends.map(([, end]) => y(end)),
    LABEL_GAP,
    TOP,
    floor,
  )
  return curves.flatMap(({ label, colour, isMain }, index) => {
    const [endX, endY] = ends[index] ?? [0, 0]
    const at = spread[index] ?? y(endY)
    const style = `label f-${colour}${isMain ? ' strong' : ''}`
    return [
      line(
        x(endX) + 5,
        y(endY),
        right + 22,
        at,
        `leader s-${colour}${endX < last ? ' dotted' : ''}`,
      ),
      text(right + 26, at + 4.5, label, style),
    ]
  })
}
