import type { JobStatus } from '../../core/job.ts'
import type { Querier } from '../../querier.ts'
import type { QuerierSelection, WhereAnswer, WhereOptions } from '../../where-options.ts'
import type { FilterValues } from '../command-parts.ts'
import type { GlobalOptions } from '../place.ts'

/** Something that is done to jobs from outside. */
export interface Deed {
  readonly verb: 'cancel' | 'retry' | 'delete'
  /** "… were cancelled" */
  readonly done: string
  /** For the list of commands. */
  readonly summary: string
  readonly description: string
  /** The statuses of the jobs to which it can be done. */
  readonly statuses: readonly JobStatus[]
  readonly act: (querier: Querier, queue: string, id: string) => Promise<boolean>
  /** Does it to all jobs that a filter chooses, or says which those are. */
  readonly actWhere: <DryRun extends boolean>(
    querier: Querier,
    filter: QuerierSelection,
    options: WhereOptions<DryRun>,
  ) => Promise<WhereAnswer<DryRun>>
}

export interface SteerOptions extends GlobalOptions, FilterValues {
  readonly limit?: number
  readonly dryRun?: boolean
  readonly yes?: boolean
}
