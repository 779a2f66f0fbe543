import type { QueueKind } from './scenario.ts'

/** What a job carries in a scenario. */
export interface Args {
  /** Its number in the scenario, known before it has an id. */
  readonly tag: number
}

/** One run of a handler, as the handler saw it. Instants by `Date.now()`, which the database shares. */
export interface Run {
  readonly tag: number
  readonly jobId: string
  readonly queue: QueueKind
  /** Which actor, and which life of it. */
  readonly life: string
  readonly attempt: number
  /** It settles its job itself: that counts also when its process dies before it hears of it. */
  readonly completes: boolean
  readonly start: number
  end: number | undefined
  /** How it ended; undefined as long as it has not, which may be for ever. */
  how: string | undefined
}

/** What happened in a scenario, from where we stand: the handlers, the enqueuers, the events. */
export class Witness {
  readonly runs: Run[] = []
  /** Jobs that are stored for sure, and since when we know it. */
  readonly stored = new Map<number, number>()
  /** Jobs of transactions that rolled back. */
  readonly rolledBack = new Set<number>()
  /** Jobs whose enqueue got no answer: they exist or not. */
  readonly uncertain = new Set<number>()
  /** By worker number: the life that registered it. */
  readonly lives = new Map<number, string>()
  /** By job id: how often somebody said that it finished. */
  readonly finished = new Map<string, number>()
  /** How receivers ended that should not have. */
  readonly rejections: string[] = []

  begin(run: Omit<Run, 'start' | 'end' | 'how'>): Run {
    const begun: Run = { ...run, start: Date.now(), end: undefined, how: undefined }
    this.runs.push(begun)
    return begun
  }

  end(run: Run, how: string): void {
    run.end = Date.now()
    run.how = how
  }

  runsOf(jobId: string): Run[] {
    return this.runs.filter((run) => run.jobId === jobId)
  }
}
