import type { Amount } from './fault-test.ts'
import type { LoadOptions, Stage } from './stage.ts'

const MINUTES = 60_000

export interface UnderLoadOptions extends LoadOptions {
  /** Before each fault so many jobs start, or fewer: by chance. @default 1 */
  readonly restRuns?: number
}

/**
 * Load on workers that were hired, a fault each time that work has gone on for a while, and then until there were
 * enough jobs and all of them are done.
 */
export async function underLoad(
  stage: Stage,
  { jobs, faults }: Amount,
  happen: () => Promise<unknown> | void,
  { restRuns = 1, ...load }: UnderLoadOptions = {},
): Promise<void> {
  const end = stage.load({ producers: 5, ...load })
  for (let fault = 0; fault < faults; fault += 1) {
    await stage.untilRan(Math.ceil(restRuns * Math.random()), 2 * MINUTES)
    await stage.untilPromised(stage.promised.size + 20, 2 * MINUTES)
    await stage.fault(happen)
  }
  await stage.untilWorkGoesOn(2 * MINUTES)
  await stage.untilPromised(jobs, 10 * MINUTES)
  await end()
  await stage.untilDone(5 * MINUTES)
}
