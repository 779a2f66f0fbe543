import fc from 'fast-check'
import { afterAll, beforeAll, inject, test } from 'vitest'
import { FOUND } from './found.ts'
import { Play } from './play.ts'
import type { Stage } from './scene.ts'
import { openStage } from './stage.ts'
import { sequence, type Step } from './steps.ts'

/** `npm run test:model` says how many sequences, and draws new ones each time. */
const LONG_RUN = process.env['MODEL_RUNS']

/**
 * `npm test` plays the same sequences each time, so that a red run speaks of the change at hand; what the
 * long run finds is kept in `FOUND`.
 */
const PLAN =
  LONG_RUN === undefined
    ? { numRuns: 250, seed: 20_261_124 }
    : { numRuns: Number(LONG_RUN), endOnFailure: process.env['MODEL_SHRINKS'] === '0' }

let stage: Stage & { close(): Promise<void> }

beforeAll(async () => {
  stage = await openStage(inject('databaseUrl'), `model ${process.pid}`)
})

afterAll(() => stage.close())

/** Plays a sequence; a failure tells what was done before, in words. */
async function play(steps: readonly Step[]): Promise<void> {
  const played = new Play(stage)
  try {
    await played.run(steps)
  } catch (error) {
    const words = played.taken.map((words) => `\n  ${words}`).join('')
    throw new Error(`${String(error)}\nThe last of these steps:${words}`, { cause: error })
  }
}

test.each(FOUND)('%s', (_name, steps) => play(steps))

test('whatever happens, the queue does what its model does', { timeout: 86_400_000 }, async () => {
  await fc.assert(fc.asyncProperty(sequence, play), PLAN)
})
