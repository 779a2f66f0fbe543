import type { Observation } from './finding.ts'
import type { Subject } from './subject.ts'

/** What belongs together, in the order in which it is shown. */
export const GROUPS = ['Connection', 'Schema', 'Queues', 'Upkeep'] as const

/** A thing that is looked at. */
export interface Check {
  /** The name by which findings and pages speak of it. */
  readonly name: string
  readonly group: (typeof GROUPS)[number]
  /** Whether it reads Millrace's tables, and so needs a schema on which this code works. @default false */
  readonly readsTables?: true
  /** Why it does not apply to the embedded database. @default it does */
  readonly notEmbedded?: string
  /** Looks, in transactions that can change nothing. Whatever it throws becomes a finding of its own. */
  run(subject: Subject): Promise<Observation[]>
}
