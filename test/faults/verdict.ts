import type { Execution } from './executions.ts'

/** When a fault began and when it was over, in milliseconds since 1970. */
export interface FaultWindow {
  readonly from: number
  readonly to: number
  /** So long after its end jobs still start whose claims the database forgot in it: processes hold them. @default 0 */
  readonly forgottenMs?: number
}

/** What became of the jobs of a run with faults. */
export interface Verdict {
  readonly jobs: number
  readonly executions: number
  readonly faults: number
  /** Jobs whose `enqueue` resolved and that never ran to an end. */
  readonly lost: readonly string[]
  /** Runs of an attempt that had run before. */
  readonly repeated: number
  /** Those of them whose earlier run no fault interrupted: there should be none. */
  readonly unexplained: readonly string[]
  /** The longest time from the end of a fault to the next start of a job. */
  readonly wentOnAfterMs: number | undefined
  /** The longest time from the beginning of a fault until a job that it interrupted ran again. */
  readonly ranAgainAfterMs: number | undefined
}

/** A run that ended so shortly before a fault may not have been written down yet. */
const UNSETTLED_MS = 2_000

/** Compares what was promised with what ran. `executions` are in the order of their starts. */
export function judgeRun(
  promised: ReadonlySet<string>,
  executions: readonly Execution[],
  faults: readonly FaultWindow[],
): Verdict {
  const ended = new Set(executions.filter(hasEnded).map(({ jobId }) => jobId))
  const repeats = findRepeats(executions)
  const explained = repeats.map(({ earlier }) => faults.find((fault) => interrupts(fault, earlier)))
  return {
    jobs: promised.size,
    executions: executions.length,
    faults: faults.length,
    lost: [...promised].filter((jobId) => !ended.has(jobId)),
    repeated: repeats.length,
    unexplained: repeats
      .filter((_, index) => explained[index] === undefined)
      .map(({ earlier, later }) => describeRepeat(earlier, later)),
    wentOnAfterMs: longest(
      faults.map(({ to }) => executions.find(({ startedAt }) => startedAt > to)?.startedAt ?? to),
      faults.map(({ to }) => to),
    ),
    ranAgainAfterMs: longest(
      repeats.map(({ later }) => later.startedAt),
      repeats.map(({ earlier }, index) => explained[index]?.from ?? earlier.startedAt),
    ),
  }
}

interface Repeat {
  readonly earlier: Execution
  readonly later: Execution
}

function findRepeats(executions: readonly Execution[]): Repeat[] {
  const last = new Map<string, Execution>()
  const repeats: Repeat[] = []
  for (const later of executions) {
    const key = `${later.jobId} ${later.attempt}`
    const earlier = last.get(key)
    if (earlier !== undefined) repeats.push({ earlier, later })
    last.set(key, later)
  }
  return repeats
}

/** Whether the fault came while this was claimed, or running, or ended and perhaps not written down. */
function interrupts(
  { from, to, forgottenMs = 0 }: FaultWindow,
  { startedAt, endedAt }: Execution,
): boolean {
  return startedAt <= to + forgottenMs && (endedAt === undefined || endedAt >= from - UNSETTLED_MS)
}

function hasEnded({ endedAt }: Execution): boolean {
  return endedAt !== undefined
}

function describeRepeat(earlier: Execution, later: Execution): string {
  const end = earlier.endedAt === undefined ? 'no end' : `end ${earlier.endedAt.toFixed(1)}`
  return `job ${later.jobId}, attempt ${later.attempt}: ${earlier.startedAt.toFixed(1)} in ${earlier.pid} (${end}), again ${later.startedAt.toFixed(1)} in ${later.pid}`
}

function longest(ends: readonly number[], begins: readonly number[]): number | undefined {
  if (ends.length === 0) return undefined
  return Math.max(...ends.map((end, index) => end - (begins[index] ?? end)))
}
