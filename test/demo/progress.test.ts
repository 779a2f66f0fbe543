import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { findFiles } from '../../src/cli/demo/files.ts'
import { Progress, type Snapshot } from '../../src/cli/demo/progress.ts'
import { Speed } from '../../src/cli/speed.ts'
import { showBar } from '../../src/cli/demo/bar.ts'
import { Terminal } from '../../src/cli/terminal/terminal.ts'
import {
  shorten,
  showBytes,
  showCount,
  showSeconds,
  showTime,
} from '../../src/cli/terminal/words.ts'

afterEach(() => void vi.useRealTimers())

/** A terminal, or (without columns) a file, that remembers what was written. */
function screen(columns?: number, hasColors = columns !== undefined) {
  const written: string[] = []
  const out = {
    isTTY: columns !== undefined,
    columns,
    hasColors: () => hasColors,
    write: (text: string) => written.push(text),
  }
  return { out: new Terminal(out, { TERM: 'xterm' }), written }
}

const snapshot: Snapshot = {
  jobs: 2_001,
  indexed: 1_412,
  failed: 1,
  retrying: 2,
  waiting: 580,
  running: 8,
}

describe('progress', () => {
  test.each([120, 100, 80, 60, 30])('is one line that fits into %i columns', (columns) => {
    const { out, written } = screen(columns)
    new Progress(out).show(snapshot)
    const line = stripVTControlCharacters(written.join('')).replace('\r', '')
    expect(line.length).toBeLessThan(columns)
    expect(line).not.toContain('\n')
    expect(line).toContain('1,412 of 2,001 · 1 failed')
    expect(line.includes('━')).toBe(columns >= 80)
  })

  test('keeps its line below the notes', () => {
    const { out, written } = screen(100, false)
    const progress = new Progress(out)
    progress.show(snapshot)
    const [line = ''] = written
    progress.note('warning', '✗ gone')
    expect(written.at(-1)).toBe(`\r\u001b[2K  ✗ gone\n${line.replace('\r\u001b[2K', '')}`)
    progress.end()
    expect(written.at(-1)).toBe('\r\u001b[2K')
  })

  test('is a plain line every two seconds where nothing can be written over', () => {
    vi.useFakeTimers()
    const { out, written } = screen()
    const progress = new Progress(out)
    for (let tenth = 1; tenth <= 45; tenth += 1) {
      vi.advanceTimersByTime(100)
      progress.show({ ...snapshot, indexed: tenth * 10 })
    }
    progress.note('bad', '✗ gone')
    progress.end()
    expect(written).toEqual([
      '  200 of 2,001 · 1 failed · 2 retrying · 100 jobs/s · 18 s left\n',
      '  400 of 2,001 · 1 failed · 2 retrying · 100 jobs/s · 16 s left\n',
      '  ✗ gone\n',
    ])
  })

  test('knows how fast it is from the last seconds, not from the start', () => {
    const speed = new Speed()
    expect(speed.perSecond).toBe(0)
    for (let second = 0; second <= 10; second += 1) speed.counted(0, second * 1_000)
    expect(speed.perSecond).toBe(0)
    for (let second = 11; second <= 14; second += 1)
      speed.counted((second - 10) * 50, second * 1_000)
    expect(speed.perSecond).toBe(50)
  })
})

describe('what is shown', () => {
  test('is coloured on a terminal that shows colours, and nowhere else', () => {
    expect(screen(80).out.paint('good', 'yes')).toBe('\u001b[32myes\u001b[39m')
    expect(screen(80, false).out.paint('good', 'yes')).toBe('yes')
    expect(screen(undefined, true).out.paint('good', 'yes')).toBe('yes')
  })

  test.each([
    [showBytes(0), '0 B'],
    [showBytes(999), '999 B'],
    [showBytes(999_949), '999.9 kB'],
    [showBytes(999_951), '1.0 MB'],
    [showTime(0.4), '0 ms'],
    [showTime(999), '999 ms'],
    [showTime(999.6), '1.0 s'],
    [showTime(59_949), '59.9 s'],
    [showTime(83_000), '1 min 23 s'],
    [showTime(7_320_000), '2 h 2 min'],
    [showSeconds(10), '1 s'],
    [showSeconds(8_600), '9 s'],
    [showCount(1, 'file'), '1 file'],
    [showCount(2_000, 'file'), '2,000 files'],
    [showBar(0.5, 3), '█▌ '],
    [showBar(2, 3), '███'],
    [shorten('short', 5), 'short'],
    [shorten('a/long/path.ts', 8), '…path.ts'],
  ])('%s', (shown, expected) => {
    expect(shown).toBe(expected)
  })
})

test('files are found in the order of their names, without links, large ones and .git', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-files-'))
  for (const name of ['b', 'b/deep', '.git', 'a']) mkdirSync(path.join(folder, name))
  for (const name of ['b/2', 'b/deep/1', 'b/10', '.git/HEAD', 'c', 'a/x']) {
    writeFileSync(path.join(folder, name), '12345')
  }
  writeFileSync(path.join(folder, 'large'), '1234567890')
  symlinkSync('c', path.join(folder, 'link'))
  symlinkSync('.', path.join(folder, 'round'))
  const names = async (limit: number) => {
    const found = await findFiles(folder, { limit, belowBytes: 10 })
    return { ...found, paths: found.paths.map((file) => path.relative(folder, file)) }
  }
  const all = ['a/x', 'b/10', 'b/2', 'b/deep/1', 'c']
  expect(await names(5)).toEqual({ paths: all, bytes: 25, isCut: false })
  expect(await names(2)).toEqual({ paths: all.slice(0, 2), bytes: 10, isCut: true })
  rmSync(folder, { recursive: true })
})
