import { expect, test } from 'vitest'
import type { Role } from '../../bench/harness/role.ts'
import type { Trial } from '../../bench/harness/trial.ts'
import { check } from '../../bench/scenarios/draining.ts'

/** A process that has run its jobs so often, and left so many. */
function worker(
  runs: number[],
  { unfinished = 0, finished }: { unfinished?: number; finished?: number } = {},
): Role {
  const answers: Record<string, unknown> = { runs: Uint8Array.from(runs), unfinished, finished }
  return { call: async (name: string) => answers[name] } as unknown as Role
}

function makeTrial(): { trial: Trial; problems: string[] } {
  const problems: string[] = []
  return { trial: { problem: (text: string) => problems.push(text) } as unknown as Trial, problems }
}

test('all jobs of two processes are found', async () => {
  const { trial, problems } = makeTrial()
  const workers = [worker([1, 0, 1]), worker([0, 1, 0])]
  expect(await check(trial, workers, { jobs: 3, isWhole: true })).toEqual({ duplicates: 0 })
  expect(problems).toEqual([])
})

test('a job that did not run is a problem', async () => {
  const { trial, problems } = makeTrial()
  await check(trial, [worker([1, 0, 1])], { jobs: 3, isWhole: true })
  expect(problems).toEqual(['1 of 3 jobs did not run'])
})

test('a job that both processes ran is a duplicate', async () => {
  const { trial, problems } = makeTrial()
  const workers = [worker([1, 1]), worker([0, 1])]
  expect(await check(trial, workers, { jobs: 2, isWhole: true })).toEqual({ duplicates: 1 })
  expect(problems).toEqual([])
})

test('a second run is none where the first one was meant to fail', async () => {
  const { trial } = makeTrial()
  const runs = (n: number): number => (n === 0 ? 2 : 1)
  const counted = await check(trial, [worker([2, 1])], { jobs: 2, isWhole: true, runs })
  expect(counted).toEqual({ duplicates: 0 })
})

test('when time was up, what did not run must still wait', async () => {
  const { trial, problems } = makeTrial()
  const expected = { jobs: 4, isWhole: false }
  await check(trial, [worker([1, 1, 0, 0], { unfinished: 2 })], expected)
  expect(problems).toEqual([])
  await check(trial, [worker([1, 1, 0, 0], { unfinished: 1 })], expected)
  expect(problems).toEqual(['1 of 4 jobs are gone'])
})

test('finished jobs that were to be kept and are not there are a problem', async () => {
  const { trial, problems } = makeTrial()
  const expected = { jobs: 2, isWhole: true, keeps: true }
  await check(trial, [worker([1, 1], { finished: 2 })], expected)
  expect(problems).toEqual([])
  await check(trial, [worker([1, 1], { finished: 1 })], expected)
  expect(problems).toEqual(['1 of 2 finished jobs were not kept'])
})
