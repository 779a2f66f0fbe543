import { mkdirSync, openSync, rmSync, writeSync, closeSync } from 'node:fs'
import { once } from 'node:events'
import path from 'node:path'
import { afterAll, beforeAll, inject } from 'vitest'
import { expect, test } from '../support/fixtures.ts'
import { Millrace, millrace } from './millrace.ts'

const LINES = 1_000_000
/** The file has 90 MB; a process that does nothing takes some 80. */
const BOUND_MB = 260

/**
 * Tells at the end how much memory the process ever had. On Linux `maxRSS` begins with that of the process
 * which started it; the kernel's high-water mark does not.
 */
const TELL_MEMORY = `--import=data:text/javascript,${encodeURIComponent(`
import { readFileSync } from 'node:fs'
const peak = () => process.platform === 'linux'
  ? /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]
  : process.resourceUsage().maxRSS
process.on('exit', () => process.stderr.write('peak ' + peak() + '\\n'))
`)}`
const env = { NODE_OPTIONS: TELL_MEMORY }
const peakMb = (stderr: string): number =>
  Number(/peak (\d+)/.exec(stderr)?.[1] ?? Infinity) / 1_024

const folder = path.join(inject('scratchFolder'), 'million')
const jobs = path.join(folder, 'jobs.jsonl')

const portion = (from: number, count: number): string =>
  Array.from({ length: count }, (_, index) => {
    const n = from + index
    return `{"n":${n},"to":"user-${n}@example.org","subject":"An e-mail of the usual length"}\n`
  }).join('')

beforeAll(() => {
  mkdirSync(folder)
  const file = openSync(jobs, 'w')
  for (let from = 1; from <= LINES; from += 10_000) writeSync(file, portion(from, 10_000))
  writeSync(file, 'and one that is no JSON\n')
  closeSync(file)
})
afterAll(() => rmSync(folder, { recursive: true }))

test('a million lines go in, in bounded memory', { timeout: 180_000 }, async ({ schema, rows }) => {
  const ended = await millrace(['enqueue', 'q', '--file', jobs], { schema, env })
  expect(ended.code).toBe(3)
  expect(ended.stdout).toMatch(/^Enqueued 1,000,000 jobs into q in .*; 1 line was refused\.\n$/)
  expect(ended.stderr).toContain('Line 1000001: It is not JSON')
  expect(peakMb(ended.stderr)).toBeLessThan(BOUND_MB)
  const count = `select count(*)::int4, sum((args->>'n')::int8)::text from {schema}.jobs`
  expect(await rows(count)).toEqual([{ count: LINES, sum: '500000500000' }])
})

test('a line without an end is refused without being held', async ({ schema, rows }) => {
  const doing = new Millrace(['enqueue', 'q', '-'], { schema, env, isInteractive: true })
  const input = doing.process.stdin
  const megabyte = 'x'.repeat(1_048_576)
  for (let sent = 0; sent < 300; sent += 1) {
    if (input?.write(megabyte) === false) await once(input, 'drain')
  }
  input?.end('\n{"n":2}')
  const ended = await doing.ended
  expect(ended.code).toBe(3)
  expect(ended.stderr).toContain('Line 1: It has 314,572,800 bytes; at most 33,554,432 are read.')
  expect(peakMb(ended.stderr)).toBeLessThan(BOUND_MB)
  expect(await rows('select args from {schema}.jobs')).toEqual([{ args: { n: 2 } }])
})
