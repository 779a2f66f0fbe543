import { spawnSync } from 'node:child_process'
import { describe } from 'vitest'
import type { JobRecord } from '../../src/index.ts'
import { expect, test } from '../support/fixtures.ts'
import { json, lines, stock } from './arrange.ts'
import { environmentOf, MAIN, millrace } from './millrace.ts'

const TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`

interface Listed {
  readonly jobs: JobRecord[]
  readonly next: string | null
}

describe('millrace queues', () => {
  test('lists the queues, and what is in them', async ({ openQueue, schema }) => {
    expect(await millrace(['queues'], { schema })).toMatchObject({
      ...{
        code: 0,
        stdout: '',
        stderr: expect.stringContaining('There are no queues yet') as unknown,
      },
    })
    await stock(openQueue)
    const ended = await millrace(['queues'], { schema })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const table = lines(ended).map((line) => line.split(/ {2,}/))
    expect(table.map((row) => row.slice(0, 7).map((cell) => cell.trim()))).toEqual([
      ['queue', 'mode', 'available', 'running', 'finished', 'failed', 'cancelled'],
      ['emails', 'concurrent', '1', '0', '1', '0', '0'],
      ['emails-dead', 'not opened', '1', '0', '0', '0', '0'],
      ['reports', 'concurrent', '1', '0', '0', '1', '0'],
    ])
    expect(table.map((row) => row.at(-1))).toEqual(['dead letters', 'emails-dead', '–', '–'])
  })

  test('answers in JSON', async ({ openQueue, schema }) => {
    await stock(openQueue)
    const { queues } = (await json(['queues', '--exact'], { schema })) as { queues: object[] }
    expect(queues).toHaveLength(3)
    expect(queues[0]).toEqual({
      name: 'emails',
      fifo: false,
      dlq: 'emails-dead',
      keepFinishedMs: 86_400_000,
      keepFailedMs: 2_592_000_000,
      paused: null,
      counts: { available: 1, running: 0, finished: 1, failed: 0, cancelled: 0 },
      isExact: true,
      longestWaitMs: expect.any(Number) as unknown,
    })
    expect(queues[2]).toMatchObject({ longestWaitMs: null })
  })
})

describe('millrace jobs list', () => {
  test('lists the jobs of all queues in one order', async ({ openQueue, schema }) => {
    const ids = await stock(openQueue)
    const ended = await millrace(['jobs', 'list'], { schema })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const rows = lines(ended).map((line) => line.trim())
    expect(rows[0]).toMatch(/^id +queue +status +run +enqueued +arguments +last error$/)
    expect(rows[1]).toMatch(
      new RegExp(`^${ids.finished} +emails +finished +1 of 4 +${TIME} +{"to":"ada"}$`),
    )
    expect(rows[2]).toMatch(
      new RegExp(`^${ids.dead} +emails-dead +available +0 of 1 .* TypeError: No such address$`),
    )
    expect(rows).toHaveLength(6)
  })

  test('filters and pages', async ({ openQueue, schema }) => {
    const ids = await stock(openQueue)
    const listed = async (...args: string[]): Promise<string[]> => {
      const { jobs } = (await json(['jobs', 'list', ...args], { schema })) as Listed
      return jobs.map((job) => job.id)
    }
    expect(await listed('--queue', 'reports')).toEqual([ids.failed, ids.later])
    expect(await listed('--status', 'failed')).toEqual([ids.failed])
    expect(await listed('--error', 'ADDRESS')).toEqual([ids.dead])
    expect(await listed('--older-than', '1h')).toEqual([])
    expect(await listed('--newer-than', '1h', '-q', 'emails', '-s', 'finished')).toEqual([
      ids.finished,
    ])
    expect(await listed('--metadata', '{"tenant":"mill"}')).toEqual([ids.finished])
    expect(await listed('--newest', '--limit', '2')).toEqual([ids.later, ids.waiting])
    expect(await listed('--newest', '--after', ids.waiting, '-n', '1')).toEqual([ids.failed])
    const page = (await json(['jobs', 'list', '-n', '2'], { schema })) as Listed
    expect(page.next).toBe(ids.dead)
    const last = (await json(['jobs', 'list', '--after', ids.waiting], { schema })) as Listed
    expect(last).toMatchObject({ jobs: [{ id: ids.later }], next: null })
  })

  test('says when there is more, and when there is nothing', async ({ openQueue, schema }) => {
    const { finished } = await stock(openQueue)
    const page = await millrace(['jobs', 'list', '--limit', '1'], { schema })
    expect(page.stderr).toBe(`There may be more: --after ${finished}\n`)
    const none = await millrace(['jobs', 'list', '--status', 'running'], { schema })
    expect(none).toMatchObject({ code: 0, stdout: '', stderr: 'There are no such jobs.\n' })
  })

  test('is quiet when nobody reads on', async ({ openQueue, schema, databaseUrl }) => {
    const queue = openQueue({ queueName: 'many' })
    await queue.enqueueMany(Array.from({ length: 1_000 }, () => ({ args: 'x'.repeat(500) })))
    const command = `"${process.execPath}" "${MAIN}" jobs list --json -n 1000 | head -c 10; echo " \${PIPESTATUS[0]}"`
    const ended = spawnSync('bash', ['-c', command], {
      env: environmentOf({ databaseUrl, schema }),
      encoding: 'utf8',
    })
    expect(ended.stderr).toBe('')
    expect(ended.stdout).toBe(`{"jobs":[{ 0\n`)
  })
})

describe('millrace jobs show', () => {
  test('shows everything that is known of a job', async ({ openQueue, schema }) => {
    const ids = await stock(openQueue)
    const finished = await millrace(['jobs', 'show', ids.finished], { schema })
    expect(finished).toMatchObject({ code: 0, stderr: '' })
    expect(finished.stdout).toContain(`Job ${ids.finished} · finished`)
    expect(finished.stdout).toMatch(/ queue {3}emails\n/)
    expect(finished.stdout).toMatch(/enqueued\n.*run 1 started\n.*finished after \d/)
    expect(finished.stdout).toContain('Arguments\n  {\n    "to": "ada"\n  }\n')
    expect(finished.stdout).toContain('Metadata\n  {\n    "tenant": "mill"\n  }\n')
    expect(finished.stdout).toContain('Result\n  {\n    "sent": true\n  }\n')

    const dead = await millrace(['jobs', 'show', ids.dead, '--queue', 'emails'], { schema })
    expect(dead.stdout).toContain('emails-dead, a dead letter of emails\n')
    expect(dead.stdout).toMatch(/run 1 started\n.*run 1 failed: TypeError: No such address\n/)
    expect(dead.stdout).toMatch(/Errors\n {2}run 1, .* {2}TypeError: No such address\n {4}at /)

    const failed = await millrace(['jobs', 'show', ids.failed], { schema })
    expect(failed.stdout).toMatch(/enqueued\n.*run 1 started\n.*run 1 failed: .*\n.*failed\n/)
    expect(failed.stdout.match(/started/g)).toHaveLength(1)
  })

  test('answers the record in JSON', async ({ openQueue, schema }) => {
    const ids = await stock(openQueue)
    expect(await json(['jobs', 'show', ids.dead], { schema })).toMatchObject({
      id: ids.dead,
      queueName: 'emails-dead',
      originQueue: 'emails',
      status: 'available',
      args: { to: 'nobody' },
      errors: [{ attempt: 1, name: 'TypeError', message: 'No such address' }],
    })
  })

  test('leaves a terminal alone, whatever a job says', async ({ openQueue, schema }) => {
    const evil = '\u001b[2J\u0007\u009b31m\r\nnext\u202etxt'
    const queue = openQueue(
      () => {
        throw Object.assign(new Error(evil), { name: evil, stack: `${evil}\n    at ${evil}` })
      },
      { queueName: `evil ${evil}` },
    )
    const { id } = await queue.enqueue({ [evil]: evil }, { maxRetries: 0, metadata: { evil } })
    await queue.drain()
    for (const args of [['jobs', 'show', id], ['jobs', 'list'], ['queues']]) {
      const { stdout, stderr } = await millrace(args, { schema })
      expect(stderr).toBe('')
      expect(stdout).toContain('[2J')
      // oxlint-disable-next-line no-control-regex -- what must not be there
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    }
  })
})
