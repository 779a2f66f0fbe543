import { METRICS, type Measurement, type Metric } from '../results.ts'
import type { PlannedRun } from './plan.ts'

/** What a line of progress shows, as far as it was measured. */
const SHOWN: readonly Metric[] = [
  'jobsPerSecond',
  'p50Ms',
  'p99Ms',
  'startMs',
  'firstWindow',
  'lastWindow',
  'transactionsPerSecond',
  'connections',
  'walBytesPerJob',
  'serverCpuPer100k',
  'nodeCpuPer100k',
  'statementsPerJob',
  'memoryPeakMb',
  'duplicates',
]

/** Says what is ahead. */
export function announce(plan: readonly PlannedRun[], done: readonly Measurement[]): void {
  const goesOn = done.length > 0 ? `, ${done.length} of them made before the interruption` : ''
  console.log(`${plan.length} runs${goesOn}.`)
}

/** One line for a run that ended. */
export function tell(measurement: Measurement, number: number, of: number): void {
  const { scenario, contender, repetition, values, problems } = measurement
  const figures = SHOWN.flatMap((metric) => {
    const value = values[metric]
    if (value === undefined || (metric === 'duplicates' && value === 0)) return []
    return [`${value.toFixed(METRICS[metric].digits)} ${METRICS[metric].title}`]
  })
  const place = `[${number}/${of}]`
  console.log(`${place} ${scenario} ${contender} #${repetition}: ${figures.join(', ')}`)
  for (const problem of problems) console.log(`  problem: ${problem.replaceAll('\n', '\n    ')}`)
}

/** Says how many runs had problems; answers the exit code. */
export function conclude(measurements: readonly Measurement[]): number {
  const bad = measurements.filter(({ problems }) => problems.length > 0)
  console.log(`${measurements.length} runs, ${bad.length} with problems.`)
  for (const { scenario, contender, problems } of bad) {
    console.log(`  ${scenario} ${contender}: ${problems[0]?.split('\n')[0]}`)
  }
  return bad.length === 0 ? 0 : 1
}
