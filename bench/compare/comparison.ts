import { formatMetric } from '../report/numbers.ts'
import { summarise, type Summary } from '../report/statistics.ts'
import { METRICS, type Measurement, type Metric } from '../results.ts'

/** One round: the same run of both builds, one right after the other. */
export interface Pair {
  readonly before: number
  readonly after: number
}

/** What all rounds of a scenario say of one metric. */
export interface Comparison {
  readonly before: Summary
  readonly after: Summary
  /** How good the median after is beside that before: below 1 is worse, also where less is better. */
  readonly ratio: number
  /** Between these it is, with 95 % confidence. */
  readonly least: number
  readonly most: number
}

/** The hot path may pay 3 % for what is added beside it. */
export const LEAST_RATIO = 0.97

const RESAMPLES = 4_000

/**
 * Compares by a bootstrap over the rounds: what is drawn is a round with both its figures, as a machine that is slow
 * for a while is slow for both. The same figures always give the same answer. Undefined: there are none.
 */
export function comparePairs(
  pairs: readonly Pair[],
  better: 'more' | 'less' = 'more',
): Comparison | undefined {
  const before = summarise(pairs.map((pair) => pair.before))
  const after = summarise(pairs.map((pair) => pair.after))
  if (before === undefined || after === undefined) return undefined
  const draw = drawing(pairs)
  const ratios = Array.from({ length: RESAMPLES }, () => ratioOf(draw(), better)).toSorted(
    (one, other) => one - other,
  )
  return {
    before,
    after,
    ratio: ratioOf(pairs, better),
    least: ratios[Math.floor(RESAMPLES * 0.025)] ?? Number.NaN,
    most: ratios[Math.ceil(RESAMPLES * 0.975) - 1] ?? Number.NaN,
  }
}

/** Fewer rounds say nothing of their noise. */
const LEAST_ROUNDS = 5

/** Whether what is now is slower than it may be, beyond the noise. */
export function isSlower({ before, most }: Comparison): boolean {
  return before.runs >= LEAST_ROUNDS && most < LEAST_RATIO
}

/** The figures of both builds, round by round; a round in which one of them gave none is left out. */
export function pairUp(
  before: readonly Measurement[],
  after: readonly Measurement[],
  metric: Metric,
): Pair[] {
  return before.flatMap((run) => {
    const other = after.find(({ repetition }) => repetition === run.repetition)
    const [one, two] = [run.values[metric], other?.values[metric]]
    return one === undefined || two === undefined ? [] : [{ before: one, after: two }]
  })
}

/** A line of the table that is printed. */
export function describeComparison(metric: Metric, comparison: Comparison): object {
  const { before, after, ratio, least, most } = comparison
  const spread = ({ median, min, max }: Summary): string =>
    `${formatMetric(median, metric)} (${formatMetric(min, metric)} – ${formatMetric(max, metric)})`
  return {
    figure: METRICS[metric].title,
    before: spread(before),
    after: spread(after),
    ratio: ratio.toFixed(3),
    '95 %': `${least.toFixed(3)} – ${most.toFixed(3)}`,
    rounds: before.runs,
  }
}

function ratioOf(pairs: readonly Pair[], better: 'more' | 'less'): number {
  const before = median(pairs.map((pair) => pair.before))
  const after = median(pairs.map((pair) => pair.after))
  return better === 'more' ? after / before : before / after
}

function median(values: readonly number[]): number {
  return summarise(values)?.median ?? Number.NaN
}

/** Draws as many rounds as there are, each time from all of them. */
function drawing(pairs: readonly Pair[]): () => Pair[] {
  let state = 1
  // Marsaglia's xorshift (2003): enough to draw by, and the same every time.
  const random = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  return () => pairs.flatMap(() => pairs[Math.floor(random() * pairs.length)] ?? [])
}
