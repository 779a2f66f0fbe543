import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeReport } from '../../bench/report/index.ts'
import { replaceMeasured } from '../../bench/report/markdown.ts'
import type { BenchmarkContext, Measurement } from '../../bench/results.ts'
import { readPage } from '../docs/markdown.ts'
import { makeContext, repetitions, run, scenario } from './made-up.ts'
import { wellFormed } from './well-formed.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'millrace-report-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

const rate = (name: string, contender: string, values: readonly number[]): Measurement[] =>
  repetitions(name, contender, 'jobsPerSecond', values)

function write(measurements: readonly Measurement[], changes: Partial<BenchmarkContext> = {}) {
  const page = writeReport(measurements, makeContext({ folder, ...changes }))
  return readFileSync(page, 'utf8')
}

describe('the table of a scenario', () => {
  const scenarios = [scenario('drain-kept')]

  test('has medians over the least and the most, and the best in bold', () => {
    const page = write(
      [
        ...rate('drain-kept', 'millrace', [90_000, 100_000, 95_000]),
        ...rate('drain-kept', 'pg-boss', [2_000, 2_000]),
        ...rate('drain-kept', 'ceiling', [120_000]),
      ],
      { scenarios },
    )
    expect(page).toContain('### Title of drain-kept\n\nWhat is done. (jobs 100,000)\n')
    expect(page).toContain(
      [
        '| contender | jobs/s |',
        '|---|--:|',
        '| millrace | **95,000**<br><sub>90,000 – 100,000</sub> |',
        '| ceiling | 120,000 |',
        '| pg-boss | 2,000 |',
        '',
        '- ceiling: 1 of 3 runs',
        '- pg-boss: 2 of 3 runs',
      ].join('\n'),
    )
    expect(page).toContain('- Not run here: millrace-pglite, ceiling-notify, pg-boss-best,')
  })

  test('has a row for whoever did not finish, and all that was wrong', () => {
    const failure = { problems: ['Error: time was up | after <120 s>'] }
    const page = write(
      [
        ...rate('drain-kept', 'millrace', [90_000]),
        run('drain-kept', 'pg-boss', {}, failure),
        run('drain-kept', 'pg-boss-best', { jobsPerSecond: 99_000, duplicates: 3 }),
        run('drain-kept', 'graphile-worker', { jobsPerSecond: 5 }, { problems: ['2 lost'] }),
      ],
      { scenarios },
    )
    expect(page).toContain(
      '| pg-boss ⚠ | did not finish: Error: time was up \\| after &lt;120 s> |  |',
    )
    expect(page).toContain('| pg-boss-best ⚠ | 99,000 | 3 |')
    expect(page).toContain('- ⚠ pg-boss, run 1: did not finish: Error: time was up')
    expect(page).toContain('- ⚠ pg-boss-best: jobs that ran more often than they should, by run: 3')
    expect(page).toContain('- ⚠ graphile-worker, run 1: 2 lost')
  })

  test('says that nothing was measured, and shows what nobody announced', () => {
    const page = write(rate('newest', 'unheard-of', [7]), { scenarios })
    expect(page).toContain(
      '### Title of drain-kept\n\nWhat is done. (jobs 100,000)\n\nNot measured.',
    )
    expect(page).toContain('### newest\n\n| contender | jobs/s |\n|---|--:|\n| unheard-of | 7 |')
  })

  test('has as many cells in every row', () => {
    const odd = { problems: ['a | b\nc `d|e`'] }
    const page = write([run('fifo', 'pg-boss', {}, odd), ...rate('fifo', 'millrace', [1])])
    for (const [table] of page.matchAll(/(?:^\|.*\n)+/gm)) {
      const cells = table
        .trim()
        .split('\n')
        .map((row) => row.replaceAll('\\|', '').split('|').length)
      expect(new Set(cells).size).toBe(1)
    }
  })
})

describe('the report', () => {
  test('of nothing is a page', () => {
    const page = write([])
    expect(page).toContain('0 runs of 0 scenarios')
    expect(page).not.toMatch(/undefined|NaN|Infinity/)
  })

  test('prints settings, versions and the machine', () => {
    const page = write(rate('fifo', 'pg-boss-best', [1]))
    expect(page).toContain(
      '| pg-boss-best | pg-boss 1.2.3 | postgres | 22.0.0 | `batchSize: 3000`<br>`note: a\\|b` |',
    )
    expect(page).toContain('- PostgreSQL: `shared_buffers = 1GB`')
    expect(page).toContain('- Redis: all settings at their defaults')
    expect(page).toContain('- PostgreSQL 18.0')
    expect(page).toContain('Example CPU @ 2.00GHz, 2 cores, 24 GB')
  })

  test('warns of a quick and of a narrowed run', () => {
    expect(write([])).not.toContain('\n> ')
    const page = write([], { scale: 'quick', isPartial: true })
    expect(page).toContain('> **This was a `quick` run')
    expect(page).toContain('> **This run was narrowed by `--only`:**')
  })

  test('keeps what somebody wrote around it', () => {
    const written = readPage('docs/benchmarks.md')
    writeFileSync(path.join(folder, 'benchmarks.md'), written)
    const [before, after] = [
      written.slice(0, written.indexOf('<!-- measured: begin -->')),
      written.slice(written.indexOf('<!-- measured: end -->')),
    ]
    const first = write(rate('fifo', 'millrace', [1]))
    const second = write(rate('fifo', 'millrace', [2]))
    for (const page of [first, second]) {
      expect(page.startsWith(before)).toBe(true)
      expect(page.endsWith(after)).toBe(true)
    }
    expect(second.length).toBe(first.length)
    expect(write(rate('fifo', 'millrace', [2]))).toBe(second)
  })

  test.each([
    ['no marker', 'text'],
    ['one marker', '<!-- measured: begin -->'],
    ['them in the wrong order', '<!-- measured: end --><!-- measured: begin -->'],
    ['one twice', '<!-- measured: begin --><!-- measured: begin --><!-- measured: end -->'],
  ])('refuses a page with %s', (_, page) => {
    expect(() => replaceMeasured(page, 'new')).toThrow('The page must have')
  })

  test('has the raw figures, and no path of the machine', () => {
    const measurements = rate('fifo', 'millrace', [1, 2])
    write(measurements)
    const raw = readFileSync(path.join(folder, 'benchmarks/results.json'), 'utf8')
    expect(JSON.parse(raw)).toMatchObject({ measurements, context: { concurrency: 50 } })
    expect(raw).not.toContain(folder)
  })
})

describe('the charts', () => {
  const scenarios = [
    scenario('fifo', { title: 'A & "B" <C>' }),
    scenario('latency-other-process', { headline: 'p50Ms' }),
    scenario('depth-0'),
    scenario('depth-1m', { sizes: { waiting: 1_000_000 } }),
    scenario('held-snapshot'),
    scenario('retries'),
  ]
  const series = (name: string, points: [number, number][]) =>
    run('held-snapshot', name, {}, { series: { jobsPerSecond: points } })
  const measurements = [
    ...rate('fifo', 'millrace', [50_000, 60_000]),
    ...rate('fifo', 'pg-boss', [10]),
    ...rate('fifo', 'un<heard', [0]),
    run('fifo', 'graphile-worker', {}, { problems: ['Error: \u0000 & <gone>'] }),
    run('latency-other-process', 'millrace', { p50Ms: 1, p99Ms: 3 }),
    ...rate('depth-0', 'millrace', [100]),
    ...rate('depth-1m', 'millrace', [90]),
    series('millrace', [
      [10, 100],
      [20, 100],
    ]),
    series('pg-boss', [
      [10, 99],
      [20, 98],
    ]),
  ]

  test('are drawn for what was measured, linked from the page, and well-formed', () => {
    const page = write(measurements, { scenarios })
    const files = readdirSync(path.join(folder, 'benchmarks')).filter((name) =>
      name.endsWith('.svg'),
    )
    const names = ['depth.svg', 'fifo.svg', 'held-snapshot.svg', 'latency-other-process.svg']
    expect(files.sort()).toEqual(names)
    for (const name of names) {
      expect(page).toContain(`](benchmarks/${name})`)
      const svg = readChart(name)
      expect(() => wellFormed(svg)).not.toThrow()
      expect(svg).toMatch(/<svg [^>]*role="img" aria-labelledby="title desc">/)
      expect(svg).not.toMatch(/undefined|NaN|Infinity/)
    }
  })

  test('say what they show to those who cannot see them', () => {
    write(measurements, { scenarios })
    const svg = readChart('fifo.svg')
    expect(svg).toContain('<title id="title">A &amp; &quot;B&quot; &lt;C&gt;</title>')
    expect(svg).toContain(
      'millrace: 55,000; pg-boss: 10; un&lt;heard: 0; graphile-worker: did not finish</desc>',
    )
    expect(svg).toContain('logarithmic scale')
  })

  test('have no two names in one place', () => {
    write(measurements, { scenarios })
    const labels = [...readChart('held-snapshot.svg').matchAll(/y="([\d.]+)" class="label/g)]
    const heights = labels.map(([, y]) => Number(y)).sort((one, other) => one - other)
    expect(heights).toHaveLength(2)
    expect((heights[1] ?? 0) - (heights[0] ?? 0)).toBeGreaterThanOrEqual(16)
  })

  test('draw no line from jobs that wait to jobs that are finished', () => {
    const names = ['depth-0', 'depth-5m', 'history-5m'] as const
    const depths = names.flatMap((name) => rate(name, 'millrace', [100]))
    write(depths, { scenarios: names.map((name) => scenario(name)) })
    const [, path] = / d="([^"]+)"/.exec(readChart('depth.svg')) ?? []
    expect(path?.replaceAll(/[^A-Z]/g, '')).toBe('MLM')
  })

  test('of an earlier report go', () => {
    write(measurements, { scenarios })
    write([], { scenarios })
    expect(readdirSync(path.join(folder, 'benchmarks'))).toEqual(['results.json'])
  })

  function readChart(name: string): string {
    return readFileSync(path.join(folder, 'benchmarks', name), 'utf8')
  }
})

test('the check of XML finds what is wrong', () => {
  const broken = ['<a>', '<a></b>', '<a b=c/>', '<a>&nbsp;</a>', '<a/><b/>', '<a b="<"/>', 'text']
  for (const text of broken) expect(() => wellFormed(text)).toThrow('not well-formed')
  expect(() => wellFormed('<a b="1"><c/>&amp;</a>\n')).not.toThrow()
})
