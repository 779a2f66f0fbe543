/** From where on something is worth a warning. Only tests choose others than the defaults. */
export interface Limits {
  /** By how many milliseconds the two clocks may differ. @default 1_000 */
  readonly clockMs: number
  /** How long, in milliseconds, a due job may wait in a queue that nobody receives. @default 60_000 */
  readonly waitMs: number
  /** So many dead letters within an hour, and their queue grows. @default 10 */
  readonly deadLettersAnHour: number
  /** For how many milliseconds a snapshot may be held. @default 300_000 */
  readonly snapshotMs: number
  /** How many transactions may begin under a held snapshot of which nobody knows since when. @default 1_000_000 */
  readonly snapshotTransactions: number
  /** So many times the dead rows at which autovacuum begins, and it lags. @default 5 */
  readonly deadRowsFactor: number
  /** Autovacuum that was at a table so many milliseconds ago does not lag, nor is it held up by others. @default 600_000 */
  readonly vacuumMs: number
  /** A table or index smaller than so many bytes is not called bloated. @default 536_870_912 (512 MiB) */
  readonly bloatBytes: number
  /** So many times the size that its rows need, and a table or index is bloated. @default 10 */
  readonly bloatFactor: number
  /** The age in transactions at which a database comes near to its wraparound. @default 1_000_000_000 */
  readonly oldTransactions: number
  /** The age at which it must be vacuumed now: at some 2,100,000,000 nothing can be written any more. @default 1_500_000_000 */
  readonly dangerousTransactions: number
}

export const DEFAULT_LIMITS: Limits = {
  clockMs: 1_000,
  waitMs: 60_000,
  deadLettersAnHour: 10,
  snapshotMs: 300_000,
  snapshotTransactions: 1_000_000,
  deadRowsFactor: 5,
  vacuumMs: 600_000,
  bloatBytes: 536_870_912,
  bloatFactor: 10,
  oldTransactions: 1_000_000_000,
  dangerousTransactions: 1_500_000_000,
}
