import { describe, expect, test } from 'vitest'
import { formatCount, formatMetric, formatRatio, formatTick } from '../../bench/report/numbers.ts'
import {
  groupRuns,
  isFlawed,
  isWithoutFigures,
  seriesOf,
  summarise,
  summaryOf,
} from '../../bench/report/statistics.ts'
import { repetitions, run } from './made-up.ts'

describe('a summary', () => {
  test.each([
    [[7], { median: 7, min: 7, max: 7, runs: 1 }],
    [[30, 10, 20], { median: 20, min: 10, max: 30, runs: 3 }],
    [[1, 100, 2, 3], { median: 2.5, min: 1, max: 100, runs: 4 }],
    [[0, 0], { median: 0, min: 0, max: 0, runs: 2 }],
    [[5, NaN, Infinity], { median: 5, min: 5, max: 5, runs: 1 }],
    [[], undefined],
  ])('of %j', (values, summary) => {
    expect(summarise(values)).toEqual(summary)
  })

  test('leaves out no repetition that gave the figure, whatever was wrong with it', () => {
    const runs = [
      ...repetitions('fifo', 'pg-boss', 'jobsPerSecond', [10, 30]),
      run('fifo', 'pg-boss', { jobsPerSecond: 90 }, { problems: ['3 jobs did not run'] }),
      run('fifo', 'pg-boss', {}, { problems: ['Error: no connection'] }),
    ]
    const result = groupRuns(runs).get('fifo')?.get('pg-boss')
    expect(summaryOf(result, 'jobsPerSecond')).toEqual({ median: 30, min: 10, max: 90, runs: 3 })
    expect(isFlawed(result)).toBe(true)
  })
})

test('a result is flawed by a job that ran too often, and by nothing else that went well', () => {
  const [good, double] = [0, 2].map((duplicates) =>
    groupRuns([run('fifo', 'x', { jobsPerSecond: 1, duplicates })])
      .get('fifo')
      ?.get('x'),
  )
  expect([isFlawed(good), isFlawed(double)]).toEqual([false, true])
})

test('a result of failures alone is without figures', () => {
  const results = groupRuns([run('fifo', 'x', {}, { problems: ['Error: gone'] })])
  expect([...(results.get('fifo')?.values() ?? [])].map(isWithoutFigures)).toEqual([true])
})

test('a series is the median at each place, in order', () => {
  const runs = [
    [
      [20, 5],
      [10, 1],
    ],
    [
      [10, 3],
      [20, 7],
      [30, 9],
    ],
  ] as const
  const results = groupRuns(
    runs.map((jobsPerSecond) => run('held-snapshot', 'x', {}, { series: { jobsPerSecond } })),
  )
  const result = results.get('held-snapshot')?.get('x')
  expect(seriesOf(result, 'jobsPerSecond')).toEqual([
    [10, 2],
    [20, 6],
    [30, 9],
  ])
})

describe('a number is printed', () => {
  test.each([
    [118_342, 'jobsPerSecond', '118,000'],
    [1_050.4, 'jobsPerSecond', '1,050'],
    [12.7, 'jobsPerSecond', '13'],
    [0.5, 'jobsPerSecond', '0.5'],
    [0, 'jobsPerSecond', '0'],
    [2.941, 'p50Ms', '2.94'],
    [29.41, 'p50Ms', '29.4'],
    [294.1, 'p50Ms', '294'],
    [2941, 'p50Ms', '2,940'],
    [0.00051, 'statementsPerJob', '0.00051'],
    [1_234, 'duplicates', '1,234'],
  ] as const)('%d as %s: %s', (value, metric, printed) => {
    expect(formatMetric(value, metric)).toBe(printed)
  })

  test('so that a ratio just below its limit does not look like it', () => {
    expect([Infinity, NaN, 0].map(formatRatio)).toEqual(['∞ ×', '–', '0 ×'])
    expect([0.897, 3.4249, 31.08, 1234].map(formatRatio)).toEqual([
      '0.897 ×',
      '3.42 ×',
      '31.1 ×',
      '1,230 ×',
    ])
  })

  test('with all digits where it is a size, and short beside an axis', () => {
    expect(formatCount(5_000_001)).toBe('5,000,001')
    expect([0.5, 20, 5_000, 20_000, 2_500_000].map(formatTick)).toEqual([
      '0.5',
      '20',
      '5,000',
      '20k',
      '2.5M',
    ])
  })
})
