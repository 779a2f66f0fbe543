import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { inflateSync } from 'node:zlib'
import { expect, inject, test } from 'vitest'
import { useExamples } from './run-example.ts'

const examples = useExamples()

test('image thumbnails scales pictures in threads, and refuses what is none', async () => {
  const folder = mkdtempSync(path.join(inject('scratchFolder'), 'pictures-'))
  const [width, height] = [256, 128]
  const pixels = Buffer.alloc(width * height * 3)
  for (let at = 0; at < pixels.length; at += 3) {
    const isLeft = (at / 3) % width < width / 2
    pixels.set(isLeft ? [255, 0, 0] : [0, 0, 255], at)
  }
  const header = `P6\n${width} ${height}\n255\n`
  writeFileSync(path.join(folder, 'flag.ppm'), Buffer.concat([Buffer.from(header), pixels]))
  writeFileSync(path.join(folder, 'text.ppm'), 'no picture')
  expect(await examples.run('image-thumbnails', { args: [folder] })).toEqual({
    code: 0,
    stderr: '',
    stdout: 'flag.ppm: finished, 64 x 32\ntext.ppm: failed, It is no PPM picture.\n',
  })
  const png = readFileSync(path.join(folder, 'flag.png'))
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([64, 32])
  const rows = inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)))
  expect([...rows.subarray(0, 4)]).toEqual([0, 255, 0, 0])
  expect([...rows.subarray(64 * 3 - 2, 64 * 3 + 1)]).toEqual([0, 0, 255])
})

test('image thumbnails makes pictures of its own when it is given none', async () => {
  const { stdout } = await examples.run('image-thumbnails')
  expect(stdout.split('\n')).toEqual([
    'broad.ppm: finished, 64 x 32',
    'broken.ppm: failed, It is no PPM picture.',
    'small.ppm: finished, 32 x 32',
    '',
  ])
})

test('csv import takes what is good, and lists what is not by its line', async () => {
  expect(await examples.run('csv-import')).toMatchObject({
    code: 0,
    stdout: [
      'Line 1000: "not-an-address" is no e-mail address.',
      'Line 1201: "" is no e-mail address.',
      '1500 rows: 1498 imported, 2 refused',
      '',
    ].join('\n'),
  })
  const [row] = await examples.rows(`select name from customers where email = 'c7@example.org'`)
  expect(row).toEqual({ name: 'Customer, 7' })
})

test('csv import goes on where it was interrupted, and does nothing when it was not', async () => {
  const file = path.join(mkdtempSync(path.join(inject('scratchFolder'), 'csv-')), 'few.csv')
  const lines = Array.from({ length: 5 }, (_, n) => `c${n}@example.org,Customer ${n}`)
  writeFileSync(file, ['email,name', ...lines.slice(0, 3), ''].join('\n'))
  expect((await examples.run('csv-import', { args: [file] })).stdout).toBe(
    '3 rows: 3 imported, 0 refused\n',
  )
  await examples.rows('delete from customers')
  writeFileSync(file, ['email,name', ...lines, ''].join('\n')) // as if the first three had been all that came through
  expect((await examples.run('csv-import', { args: [file] })).stdout).toBe(
    '5 rows: 2 imported, 0 refused\n',
  )
})

test('nightly report makes up for the nights it missed, and waits for the next one', async () => {
  const threeDaysAgo = new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10)
  const { code, stdout, stderr } = await examples.run('nightly-report', { args: [threeDaysAgo] })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = stdout.trimEnd().split('\n')
  expect(lines.at(-1)).toBe('Waiting: 1 job')
  const days = lines.slice(0, -1).map((line) => line.slice(0, 10))
  expect(days).toEqual(consecutiveDays(threeDaysAgo, days.length))
  expect(days.length).toBeGreaterThanOrEqual(2) // the third is due at 02:00 UTC
  const [waiting] = await examples.rows(
    `select args ->> 'day' as day, to_char(run_at at time zone 'utc', 'YYYY-MM-DD HH24:MI') as "runAt" from millrace.jobs`,
  )
  const [next = '', after = ''] = consecutiveDays(days.at(-1) ?? '', 3).slice(1)
  expect(waiting).toEqual({ day: next, runAt: `${after} 02:00` })
})

test('nightly report begins its chain only once', async () => {
  const today = new Date().toISOString().slice(0, 10)
  const once = 'Waiting: 1 job\n'
  expect((await examples.run('nightly-report', { args: [today] })).stdout).toBe(once)
  expect((await examples.run('nightly-report')).stdout).toBe(once)
})

test('FIFO per account books in order, over a retry too', async () => {
  expect(await examples.run('fifo-per-account')).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      'acme: 100, -40, 25 = 85',
      'bolt: 100, -40, 25 = 85',
      'crux: 100, -40, 25 = 85',
      '',
    ].join('\n'),
  })
})

test('saga with dead letters takes back in reverse what a failed step leaves behind', async () => {
  expect(await examples.run('saga-with-dead-letters')).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      'Trip 1 is booked: flight booked, hotel booked, car booked',
      'Trip 2 is cancelled: flight booked, hotel is away, hotel booked, hotel cancelled, flight cancelled',
      '',
    ].join('\n'),
  })
})

test('tracing makes one trace of a request and all the jobs behind it', async () => {
  expect(await examples.run('tracing')).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      'Traces: 1',
      'POST /orders',
      '  send orders',
      '    process orders, attempt 1',
      '      send emails',
      '        process emails, attempt 1: The provider is busy.',
      '          render',
      '        process emails, attempt 2',
      '          render',
      '',
    ].join('\n'),
  })
})

function consecutiveDays(first: string, count: number): string[] {
  const start = Date.parse(`${first}T00:00:00Z`)
  return Array.from({ length: count }, (_, n) =>
    new Date(start + n * 86_400_000).toISOString().slice(0, 10),
  )
}
