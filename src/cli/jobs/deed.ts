import type { JobStatus } from '../../core/job.ts'
import type { Querier } from '../../querier.ts'
import type { FilterValues } from '../command-parts.ts'
import type { GlobalOptions } from '../place.ts'

/** Something that is done to jobs from outside. */
export interface Deed {
  readonly verb: 'cancel' | 'retry' | 'delete'
  /** "… were cancelled" */
  readonly done: string
  readonly description: string
  /** The statuses of the jobs to which it can be done. */
  readonly statuses: readonly JobStatus[]
  /** Those that it takes where filters name no status. */
  readonly byDefault: readonly JobStatus[]
  readonly act: (querier: Querier, queue: string, id: string) => Promise<boolean>
  /** Does it to many jobs of a queue, and answers to which. */
  readonly actOnMany: (querier: Querier, queue: string, ids: string[]) => Promise<string[]>
}

export interface SteerOptions extends GlobalOptions, FilterValues {
  readonly limit?: number
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** What became of it. */
export interface Tally {
  done: number
  readonly refused: { readonly id: string; readonly reason: string }[]
}
