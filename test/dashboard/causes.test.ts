import { expect, test } from 'vitest'
import type { JobRecord } from '../../src/core/job.ts'
import { groupByCause } from '../../src/dashboard/causes.ts'
import { checkRedact, type OutgoingJob } from '../../src/dashboard/redact.ts'

const START = Date.UTC(2026, 0, 1)

/** A job that failed last, so many minutes after the start. */
function failed(id: number, message: string, minutes = id): JobRecord {
  const at = new Date(START + minutes * 60_000)
  const error = { attempt: 1, at, name: 'Error', message, stack: `Error: ${message}` }
  const job = { id: String(id), queueName: 'emails', originQueue: id % 2 === 0 ? 'a' : null }
  const times = { createdAt: at, scheduledAt: at, startedAt: at, finishedAt: at }
  return { ...job, ...times, errors: [error], tags: [] } as unknown as JobRecord
}

const all = checkRedact(undefined)

test('a cause says how often and when, and names the newest', () => {
  const jobs = [1, 4, 3, 2].map((id) => failed(id, `no user ${id}`))
  const { causes, looked, isAll } = groupByCause([...jobs, failed(9, 'disk full')], all)
  expect({ looked, isAll }).toEqual({ looked: 5, isAll: true })
  expect(causes).toMatchObject([
    {
      shape: 'no user ‹number›',
      count: 4,
      firstAt: '2026-01-01T00:01:00.000Z',
      lastAt: '2026-01-01T00:04:00.000Z',
      text: 'Error: no user',
      samples: ['4', '3', '2'],
      stack: 'Error: no user 4',
      queues: [['emails', 4]],
      origins: [['a', 2]],
    },
    { shape: 'disk full', count: 1 },
  ])
})

test('of many failures the newest are looked at, and of many causes the most frequent are told', () => {
  const kinds = Array.from({ length: 30 }, (_, kind) => 'x'.repeat(kind + 1))
  const jobs = Array.from({ length: 600 }, (_, id) => failed(id, kinds[id % 30] ?? '', 600 - id))
  const { causes, looked, isAll, others } = groupByCause(jobs, all)
  expect({ looked, isAll }).toEqual({ looked: 500, isAll: false })
  expect(causes).toHaveLength(25)
  const told = causes.reduce((sum, { count }) => sum + count, 0)
  expect(others).toEqual({ causes: 5, failures: 500 - told })
  expect(groupByCause([], all)).toMatchObject({ causes: [], looked: 0, isAll: true })
})

test.each<[string, (job: OutgoingJob) => OutgoingJob]>([
  ['nothing of the errors', ({ id }) => ({ id })],
  ['a text in their place', (job) => ({ ...job, errors: 'secret removed' })],
  ['an empty list', (job) => ({ ...job, errors: [] })],
  ['what is no error', (job) => ({ ...job, errors: [null] })],
  [
    'what is no text',
    (job) => ({ ...job, errors: [{ name: {}, message: 7, at: 'never', stack: [] }] }),
  ],
])('a redactor may leave %s', (_, redact) => {
  const { causes } = groupByCause(
    [failed(1, 'secret 1'), failed(2, 'secret 2')],
    checkRedact(redact),
  )
  expect(causes).toHaveLength(1)
  const [cause] = causes
  expect(cause).toMatchObject({ name: '[redacted]', shape: '[redacted]', count: 2 })
  expect([cause?.text, cause?.lastAt, cause?.stack]).toEqual([undefined, undefined, undefined])
})
