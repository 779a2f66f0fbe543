/** From this spread on, the small ones would be slivers: such a chart is logarithmic. */
const LOGARITHMIC_FROM = 30

/** Where a value stands on an axis, and which values have a mark there. */
export interface Scale {
  readonly isLogarithmic: boolean
  readonly ticks: readonly number[]
  /** 0 at the beginning of the axis, 1 at its end. */
  place(value: number): number
}

/** An axis for these values, from zero; logarithmic where they spread widely. */
export function scaleFor(values: readonly number[], aboutTicks = 5): Scale {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value))
  const most = positive.length === 0 ? 1 : Math.max(...positive)
  const least = positive.length === 0 ? 1 : Math.min(...positive)
  return most / least > LOGARITHMIC_FROM ? logarithmic(least, most) : linear(most, aboutTicks)
}

function linear(most: number, aboutTicks: number): Scale {
  const rough = most / aboutTicks
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5].find((factor) => factor * magnitude >= rough) ?? 10) * magnitude
  const count = Math.ceil(most / step - 1e-9)
  const ticks = Array.from({ length: count + 1 }, (_, index) =>
    Number((index * step).toPrecision(6)),
  )
  const end = count * step
  return { isLogarithmic: false, ticks, place: (value) => within(value / end) }
}

/** From a power of ten that leaves even the least value something to see, to 1, 2 or 5 times one. */
function logarithmic(least: number, most: number): Scale {
  const begin = Math.floor(Math.log10(least / 1.5))
  const magnitude = 10 ** Math.floor(Math.log10(most))
  const factor = [1, 2, 5].find((one) => one * magnitude >= most) ?? 10
  const end = Math.log10(factor * magnitude)
  const powers = Math.floor(end + 1e-9) - begin + 1
  const ticks = Array.from({ length: powers }, (_, index) => 10 ** (begin + index))
  const place = (value: number): number =>
    value <= 0 ? 0 : within((Math.log10(value) - begin) / (end - begin))
  return { isLogarithmic: true, ticks, place }
}

function within(share: number): number {
  return Math.min(1, Math.max(0, share))
}

/** Moves labels apart that would overlap, each as little as it can, between `top` and `bottom`. Keeps their order. */
export function spreadOut(
  wanted: readonly number[],
  gap: number,
  top: number,
  bottom: number,
): number[] {
  const order = wanted
    .map((_, index) => index)
    .toSorted((one, other) => at(wanted, one) - at(wanted, other))
  const placed = [...wanted]
  let least = top
  for (const index of order) {
    placed[index] = Math.max(least, at(placed, index))
    least = at(placed, index) + gap
  }
  let most = bottom
  for (const index of order.toReversed()) {
    placed[index] = Math.min(most, at(placed, index))
    most = at(placed, index) - gap
  }
  return placed
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0
}
