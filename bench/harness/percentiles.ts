/** The waits that stand for many: by the nearest rank. */
export interface Percentiles {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

/** Sorts `waits` in place. Undefined for none. */
export function percentiles(waits: Float64Array): Percentiles | undefined {
  if (waits.length === 0) return undefined
  waits.sort()
  const at = (share: number): number =>
    waits[Math.min(waits.length, Math.max(1, Math.ceil(share * waits.length))) - 1] ?? 0
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) }
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1] ?? 0, sorted[Math.floor(middle)] ?? 0]
  return (low + high) / 2
}
