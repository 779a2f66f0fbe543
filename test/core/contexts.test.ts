import { describe, expect, test } from 'vitest'
import {
  createEnqueueContext,
  createProcessContext,
  createWorkContext,
} from '../../src/core/contexts.ts'
import type { TransactionLike } from '../../src/core/transaction.ts'

const job = {
  id: '7',
  queueName: 'emails',
  args: { to: 'ada' },
  metadata: { tenant: 'a' },
  attempt: 2,
}
const facts = {
  jobId: '7',
  queueName: 'emails',
  args: job.args,
  metadata: job.metadata,
  attempt: 2,
}
const other = AbortSignal.abort()

describe('withContext', () => {
  test('copies an enqueue context with another signal, and shares the metadata', () => {
    const context = createEnqueueContext(job)
    const copy = context.withContext(other)
    expect(context.signal.aborted).toBe(false)
    expect(copy).toMatchObject({ queueName: 'emails', args: job.args, signal: other })
    expect(copy.metadata).toBe(context.metadata)
    expect(copy.withContext(context.signal).signal).toBe(context.signal)
  })

  test('copies a process context with another signal', () => {
    const { signal } = new AbortController()
    const context = createProcessContext(job, signal)
    expect(context).toMatchObject({ ...facts, signal })
    expect(context.withContext(other)).toMatchObject({ ...facts, signal: other })
    expect(context.signal).toBe(signal)
  })

  test('copies a work context with another signal, and still completes the job', async () => {
    const completed: unknown[] = []
    const complete = async (_: TransactionLike, result: unknown): Promise<void> =>
      void completed.push(result)
    const controller = new AbortController()
    const context = createWorkContext(job, controller, complete, { note: () => {} })
    expect(context).toMatchObject(facts)
    expect(context.signal).toBe(controller.signal)
    const copy = context.withContext(other)
    expect(copy.signal).toBe(other)
    expect(copy).toMatchObject(facts)
    await copy.complete({ query: async () => ({ rows: [] }) }, 'done')
    expect(completed).toEqual(['done'])
  })
})

test('a signal is made only when a handler asks for it', () => {
  let asked = 0
  const source = {
    get signal(): AbortSignal {
      asked += 1
      return other
    },
  }
  const context = createWorkContext(job, source, async () => {}, { note: () => {} })
  expect(context.attempt).toBe(2)
  expect(asked).toBe(0)
  const { signal } = context
  expect(signal).toBe(other)
})
