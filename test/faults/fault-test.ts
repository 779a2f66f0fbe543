import type { TestAPI } from 'vitest'
import { expect, testOnOwnServer, type ServerFixtures } from '../support/fixtures.ts'
import type { PostgresServer } from '../support/postgres.ts'
import { record } from './findings.ts'
import { Stage } from './stage.ts'

/** The long form, `npm run test:faults`; `npm test` plays a short one. */
export const IS_FULL = process.env['FAULTS'] === 'full'

/** What is done to the queue, and what must not come of it. */
export interface Fault {
  /** As a heading: what happens. */
  readonly title: string
  /** What holds all the same. */
  readonly promise: string
  /** How much of it, in the long form and in the short one. */
  readonly full: Amount
  readonly short: Amount
  /** Why a job may run a second time; undefined: none may. */
  readonly repeats?: string
  /** Why it cannot be tried here; undefined: it can. */
  readonly missing?: string | undefined
}

export interface Amount {
  readonly jobs: number
  readonly faults: number
}

const LIMIT_MS = { full: 15 * 60_000, short: 90_000 }

type Api = TestAPI<ServerFixtures & { server: PostgresServer }>

/**
 * A test of a fault: `body` sets the stage, lets the faults happen and waits for the end; then what the handlers wrote
 * down is compared with what was promised.
 */
export function testFault(
  fault: Fault,
  body: (stage: Stage, amount: Amount) => Promise<void>,
  api: Api = testOnOwnServer,
): void {
  const [amount, timeout] = IS_FULL ? [fault.full, LIMIT_MS.full] : [fault.short, LIMIT_MS.short]
  const run = fault.missing === undefined ? api : api.skip
  const title = fault.missing === undefined ? fault.title : `${fault.title} (${fault.missing})`
  run(title, { timeout }, async ({ server, queue, child, rows, events, schema, databaseUrl }) => {
    const stage = new Stage({ server, queue, child, rows, events, schema, databaseUrl })
    await body(stage, amount)
    await stage.close()
    const verdict = stage.judge()
    if (IS_FULL) record(fault, verdict, stage.refused.length)
    expect(verdict.lost, 'lost').toEqual([])
    expect(verdict.unexplained, 'run again without a reason').toEqual([])
    if (fault.repeats === undefined) expect(verdict.repeated, 'run again').toBe(0)
    expect(verdict.faults, 'faults').toBeGreaterThan(0)
    expect(verdict.jobs).toBeGreaterThanOrEqual(amount.jobs)
  })
}
