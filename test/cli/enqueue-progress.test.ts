import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, inject, vi } from 'vitest'
import type { Cli } from '../../src/cli/cli.ts'
import { EnqueueProgress } from '../../src/cli/enqueue/progress.ts'
import { LiveLine } from '../../src/cli/terminal/live-line.ts'
import { Terminal } from '../../src/cli/terminal/terminal.ts'
import { expect, test } from '../support/fixtures.ts'
import { hasTerminals, millrace } from './millrace.ts'

const CLEAR = '\r\u001b[2K'

/** Where an import shows itself, and what was written there. */
function screen(isTTY: boolean, isJson = false) {
  const written: string[] = []
  const output = { isTTY, columns: 100, write: (text: string) => written.push(text) }
  const err = new Terminal(output, { TERM: 'xterm' })
  const note = (line: string): void => err.print(line)
  const cli = { err, isJson, note, progress: () => new LiveLine(err) } as unknown as Cli
  return { cli, written }
}

describe('the progress of an import', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('is a bar with share, rate and time left where the size is known', () => {
    const { cli, written } = screen(true)
    const progress = new EnqueueProgress(cli, 'enqueued', 10_000)
    for (let second = 1; second <= 4; second += 1) {
      vi.advanceTimersByTime(1_000)
      progress.show(second * 500, second === 4 ? 2 : 0, second * 1_000)
    }
    expect(written.at(-1)).toBe(
      `${CLEAR}  ${'━'.repeat(10)}${'─'.repeat(14)}  40% · 2,000 jobs enqueued · 2 refused · 500/s · 6 s left`,
    )
    progress.note('Line 3: …')
    expect(written.at(-1)).toMatch(/Line 3: …\n {2}━/)
    progress.end()
    expect(written.at(-1)).toBe(CLEAR)
  })

  test('is a count where it is not', () => {
    const { cli, written } = screen(true)
    const progress = new EnqueueProgress(cli, 'checked', undefined)
    vi.advanceTimersByTime(1_000)
    progress.show(1_234, 0, 9)
    expect(written.at(-1)).toBe(`${CLEAR}  1,234 jobs checked · 0/s`)
  })

  test('comes ten times a second at most', () => {
    const { cli, written } = screen(true)
    const progress = new EnqueueProgress(cli, 'enqueued', 1_000)
    vi.advanceTimersByTime(1_000)
    for (let jobs = 1; jobs <= 300; jobs += 1) {
      vi.advanceTimersByTime(1)
      progress.show(jobs, 0, jobs)
    }
    expect(written.length).toBeLessThanOrEqual(4)
  })

  test.each([
    ['in a pipe', screen(false)],
    ['for machines', screen(true, true)],
  ])('is nothing %s', (_where, { cli, written }) => {
    const progress = new EnqueueProgress(cli, 'enqueued', 1_000)
    vi.advanceTimersByTime(5_000)
    progress.show(1, 0, 1)
    progress.end()
    expect(written).toEqual([])
  })
})

test.skipIf(!hasTerminals())(
  'a real terminal shows it, and then the report',
  async ({ schema }) => {
    const file = path.join(inject('scratchFolder'), `${randomBytes(6).toString('hex')}.jsonl`)
    const lines = Array.from({ length: 20_000 }, (_, n) => `{"n":${n}}\n`)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, [...lines, 'bad\n'].join(''))
    const env = { TERM: 'xterm-256color' }
    const ended = await millrace(['enqueue', 'q', '--file', file], { schema, columns: 100, env })
    expect(ended.code).toBe(3)
    expect(ended.stdout).toMatch(/━.*[1-9]\d*%/)
    expect(ended.stdout).toMatch(/[\d,]+ jobs enqueued/)
    expect(ended.stdout).toContain('Line 20001: It is not JSON')
    expect(ended.stdout).toMatch(/Enqueued 20,000 jobs into q in .* 1 line was refused\./)
  },
)
