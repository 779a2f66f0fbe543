import { expect, test } from 'vitest'
import { parseExecutions } from './executions.ts'
import { judgeRun } from './verdict.ts'

const run = (jobId: string, startedAt: number, endedAt?: number, attempt = 1) => ({
  ...{ jobId, attempt, pid: 1, startedAt, endedAt },
})

test('half a line, which a killed process leaves, is no run and no end', () => {
  const text = '1.5 start 7 1\n2.5 end 7 1\n3.5 start 8 1\n4.5 end 8'
  expect(parseExecutions(text, 9)).toEqual([
    { jobId: '7', attempt: 1, pid: 9, startedAt: 1.5, endedAt: 2.5 },
    { jobId: '8', attempt: 1, pid: 9, startedAt: 3.5, endedAt: undefined },
  ])
})

test('a job that never ran to an end is lost', () => {
  const verdict = judgeRun(new Set(['1', '2', '3']), [run('1', 0, 5), run('2', 1)], [])
  expect(verdict.lost).toEqual(['2', '3'])
})

test('a run that a fault interrupted explains the next one', () => {
  const faults = [{ from: 10_000, to: 10_500 }]
  const interrupted = [run('1', 9_000), run('1', 12_000, 12_100)]
  expect(judgeRun(new Set(['1']), interrupted, faults)).toMatchObject({
    ...{ lost: [], repeated: 1, unexplained: [], ranAgainAfterMs: 2_000, wentOnAfterMs: 1_500 },
  })
  const unsettled = [run('1', 9_000, 9_999), run('1', 12_000, 12_100)]
  expect(judgeRun(new Set(['1']), unsettled, faults).unexplained).toEqual([])
})

test('a second run without a fault is not explained', () => {
  const faults = [{ from: 10_000, to: 10_500 }]
  const longBefore = [run('1', 1_000, 2_000), run('1', 12_000, 12_100)]
  expect(judgeRun(new Set(['1']), longBefore, faults).unexplained).toHaveLength(1)
  const after = [run('1', 11_000, 11_010), run('1', 12_000, 12_100)]
  expect(judgeRun(new Set(['1']), after, faults).unexplained).toHaveLength(1)
  const forgetful = faults.map((fault) => ({ ...fault, forgottenMs: 1_000 }))
  expect(judgeRun(new Set(['1']), after, forgetful).unexplained).toEqual([])
})

test('another attempt is no repetition', () => {
  const verdict = judgeRun(new Set(['1']), [run('1', 0, 1, 1), run('1', 2, 3, 2)], [])
  expect(verdict).toMatchObject({ repeated: 0, unexplained: [], executions: 2 })
})
