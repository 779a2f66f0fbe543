import { describe, expect, test } from 'vitest'
import { figuresOf } from '../../bench/report/figures.ts'
import { TARGETS, type Target } from '../../bench/report/targets.ts'
import { describeBound, describeReadings, judgeTargets } from '../../bench/report/verdicts.ts'
import { SCENARIOS, type Measurement } from '../../bench/results.ts'
import { makeContext, repetitions, run } from './made-up.ts'

/** What came of the target of this line that is held against these words. */
function judge(measurements: readonly Measurement[], scenario: string, against: string) {
  const figures = figuresOf(measurements, makeContext())
  const meant = (target: Target): boolean =>
    target.scenario === scenario && target.against.includes(against)
  const [verdict, ...others] = judgeTargets(figures, TARGETS.filter(meant))
  if (verdict === undefined || others.length > 0) throw new Error(`not one target: ${scenario}`)
  const { outcome, measured } = verdict
  return { outcome, measured, figures: describeReadings(verdict, figures) }
}

const bulk = (name: string, rates: readonly number[]): Measurement[] =>
  repetitions('bulk-enqueue', name, 'jobsPerSecond', rates)

describe('a target', () => {
  test('compares medians with those of the best that is meant', () => {
    const measurements = [
      ...bulk('millrace', [90, 10, 100]),
      ...bulk('pg-boss', [20]),
      ...bulk('graphile-worker-best', [1000, 30, 29]),
      ...bulk('bullmq-redis', [500]),
      ...bulk('ceiling', [400]),
    ]
    expect(judge(measurements, 'bulk enqueue', 'peer')).toEqual({
      outcome: 'reached',
      measured: 3,
      figures: '90 against 30 (graphile-worker-best)',
    })
    expect(judge(measurements, 'bulk enqueue', 'ceiling')).toMatchObject({
      outcome: 'not reached',
      measured: 90 / 400,
    })
  })

  test('is missed by a little', () => {
    const measurements = [...bulk('millrace', [89.9]), ...bulk('pg-boss', [30])]
    expect(judge(measurements, 'bulk enqueue', 'peer').outcome).toBe('not reached')
  })

  test('takes the least where less is better', () => {
    const latency = (name: string, p50Ms: number) => run('latency-other-process', name, { p50Ms })
    const peers = [latency('pg-boss', 9), latency('graphile-worker', 3)]
    const line = 'idle latency p50, other process'
    const good = judge([latency('millrace', 2), ...peers], line, 'peer')
    expect(good).toMatchObject({
      outcome: 'reached',
      figures: '2.00 against 3.00 (graphile-worker)',
    })
    expect(judge([latency('millrace', 2.2), ...peers], line, 'peer').outcome).toBe('not reached')
  })

  test('is not measured while either side is missing, and says which', () => {
    expect(judge([], 'bulk enqueue', 'peer')).toEqual({
      outcome: 'not measured',
      measured: undefined,
      figures: 'no figure of Millrace, no figure of the best PostgreSQL peer',
    })
    expect(judge(bulk('millrace', [9]), 'bulk enqueue', 'peer')).toMatchObject({
      outcome: 'not measured',
      figures: '9, no figure of the best PostgreSQL peer',
    })
  })

  test('is not reached by a run of Millrace in which something was wrong', () => {
    const values = { jobsPerSecond: 900, duplicates: 1 }
    const measurements = [run('bulk-enqueue', 'millrace', values), ...bulk('pg-boss', [30])]
    expect(judge(measurements, 'bulk enqueue', 'peer')).toMatchObject({
      outcome: 'not reached',
      figures: '900 against 30 (pg-boss); a run of Millrace had problems',
    })
  })

  test('is not reached where a peer did nothing, as no ratio says how much better that is', () => {
    const measurements = [...bulk('millrace', [900]), ...bulk('pg-boss', [0])]
    expect(judge(measurements, 'bulk enqueue', 'peer').outcome).toBe('not reached')
  })
})

describe('the line of', () => {
  test('p99 asks for less than every peer, not for the same', () => {
    const waits = (name: string, p99Ms: number) => run('steady-same-rate', name, { p99Ms })
    const line = 'steady state, p99 at the same offered rate'
    const peers = [waits('pg-boss', 40), waits('graphile-worker', 9)]
    expect(judge([waits('millrace', 8.9), ...peers], line, '').outcome).toBe('reached')
    expect(judge([waits('millrace', 9), ...peers], line, '').outcome).toBe('not reached')
  })

  test('depth compares Millrace with itself', () => {
    const measurements = [
      run('depth-0', 'millrace', { jobsPerSecond: 1000 }),
      run('depth-5m', 'millrace', { jobsPerSecond: 890 }),
      run('history-5m', 'millrace', { jobsPerSecond: 910 }),
    ]
    expect(judge(measurements, 'depth, 5 million waiting', '').outcome).toBe('not reached')
    expect(judge(measurements, 'depth, 5 million finished', '').outcome).toBe('reached')
  })

  test('the held snapshot prints what the peers fall to', () => {
    const held = (name: string, firstWindow: number, lastWindow: number) =>
      run('held-snapshot', name, { firstWindow, lastWindow })
    const measurements = [held('millrace', 1000, 950), held('pg-boss', 800, 200)]
    expect(judge(measurements, 'held snapshot, last 10 s', '')).toEqual({
      outcome: 'reached',
      measured: 0.95,
      figures: '950 against 1,000 (millrace); peers: pg-boss 800 → 200 (0.250 ×)',
    })
  })

  test('one INSERT takes the time of bare SQL in the same scenario', () => {
    const measurements = [
      run('latency-same-process', 'millrace', { p50Ms: 1.9 }),
      run('latency-same-process', 'ceiling-notify', { p50Ms: 5, callMs: 1 }),
    ]
    const verdict = judge(measurements, 'idle latency p50, same process', '')
    expect(verdict).toMatchObject({ outcome: 'reached', measured: 1.9 })
  })

  test('idle cost has numbers for limits', () => {
    const idle = (values: Measurement['values']) => [run('idle', 'millrace', values)]
    const targets = TARGETS.filter(({ scenario }) => scenario === 'idle, 20 queues')
    expect(targets.map(describeBound)).toEqual([
      'at most 1 transactions/s',
      'at most 2 connections',
    ])
    const outcomes = (values: Measurement['values']) =>
      judgeTargets(figuresOf(idle(values), makeContext()), targets).map(({ outcome }) => outcome)
    expect(outcomes({ transactionsPerSecond: 1, connections: 3 })).toEqual([
      'reached',
      'not reached',
    ])
  })
})

test('every target reads a scenario that there is', () => {
  const asked = new Set<string>()
  const results = { get: (name: string) => void asked.add(name) } as never
  for (const target of TARGETS) {
    const figures = { results, context: makeContext() }
    target.ours(figures)
    target.theirs?.(figures)
  }
  expect([...asked].filter((name) => !SCENARIOS.some((known) => known === name))).toEqual([])
  expect(asked.size).toBeGreaterThan(15)
})
