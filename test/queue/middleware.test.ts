import { AsyncLocalStorage } from 'node:async_hooks'
import {
  UnimplementedMiddleware,
  type EnqueueHandler,
  type Middleware,
  type ProcessHandler,
} from '../../src/index.ts'
import { describeEachDatabase, expect } from '../support/fixtures.ts'
import { countRows, errorOf, refusal } from './arrange.ts'

/** A middleware that notes when it is entered and left. */
function tracer(name: string, trace: string[]): Middleware {
  return {
    enqueue: (next) => async (context) => {
      trace.push(`${name} enqueue ${String(context.args)}`)
      await next(context)
      trace.push(`${name} enqueued`)
    },
    process: (next) => async (context) => {
      trace.push(`${name} process ${String(context.args)}`)
      await next(context)
      trace.push(`${name} processed`)
    },
  }
}

const enqueuing = (enqueue: (next: EnqueueHandler) => EnqueueHandler): Middleware => ({ enqueue })
const processing = (process: (next: ProcessHandler) => ProcessHandler): Middleware => ({ process })

describeEachDatabase('middlewares', (test) => {
  test('wrap enqueueing and processing in the order given, the first outermost', async ({
    openQueue,
  }) => {
    const trace: string[] = []
    const middlewares = [tracer('outer', trace), tracer('inner', trace)]
    const queue = openQueue((job) => void trace.push(`work ${String(job.args)}`), { middlewares })
    await queue.enqueue('a')
    expect(trace.splice(0)).toEqual([
      ...['outer enqueue a', 'inner enqueue a', 'inner enqueued', 'outer enqueued'],
    ])
    await queue.drain()
    expect(trace).toEqual([
      ...['outer process a', 'inner process a', 'work a', 'inner processed', 'outer processed'],
    ])
  })

  test('see each job of enqueueMany, and what they add to its metadata is stored', async ({
    openQueue,
  }) => {
    const trace: string[] = []
    const number = enqueuing((next) => async (context) => {
      context.metadata['double'] = Number(context.args) * 2
      await next(context)
    })
    const queue = openQueue({ middlewares: [tracer('t', trace), number] })
    const jobs = await queue.enqueueMany([{ args: 1 }, { args: 2, metadata: { own: true } }])
    expect(jobs.map((job) => job.metadata)).toEqual([{ double: 2 }, { own: true, double: 4 }])
    expect(trace.filter((line) => line.startsWith('t enqueue '))).toEqual([
      ...['t enqueue 1', 't enqueue 2'],
    ])
    const single = await queue.enqueue(3)
    expect((await queue.get(single.id))?.metadata).toEqual({ double: 6 })
  })

  test('are called once for a queue, and their handlers for each job', async ({ openQueue }) => {
    const calls: string[] = []
    const counting: Middleware = {
      enqueue: (next) => {
        calls.push('enqueue')
        return next
      },
      process: (next) => {
        calls.push('process')
        return next
      },
    }
    const queue = openQueue(() => undefined, { middlewares: [counting] })
    await queue.enqueue(1)
    await queue.enqueueMany([{ args: 2 }, { args: 3 }])
    await queue.drain()
    await queue.enqueue(4)
    await queue.drain()
    expect(calls.toSorted()).toEqual(['enqueue', 'process'])
  })

  test('may be classes that extend UnimplementedMiddleware', async ({ openQueue }) => {
    class Stamp extends UnimplementedMiddleware {
      readonly stamp = 'by a class'
      override enqueue(next: EnqueueHandler): EnqueueHandler {
        return async (context) => {
          context.metadata['stamp'] = this.stamp
          await next(context)
        }
      }
    }
    const queue = openQueue(() => undefined, { middlewares: [new Stamp()] })
    const job = await queue.enqueue(1)
    expect(job.metadata).toEqual({ stamp: 'by a class' })
    expect(await queue.drain()).toMatchObject({ finished: 1 })
  })

  test('refuse metadata that JSON cannot carry, before anything is written', async ({
    openQueue,
    rows,
  }) => {
    const spoil = enqueuing((next) => (context) => {
      context.metadata['when'] = { at: Number.NaN }
      return next(context)
    })
    const error = await refusal(openQueue({ middlewares: [spoil] }).enqueue(1))
    expect(error).toMatchObject({ code: 'INVALID_OPTION', details: { option: 'metadata.when.at' } })
    expect(await countRows(rows)).toMatchObject({ queues: 0, jobs: 0 })
  })

  test('see the arguments as they will be stored', async ({ openQueue }) => {
    const seen: unknown[] = []
    const look = enqueuing((next) => (context) => {
      seen.push({ ...context, signal: context.signal.aborted, withContext: undefined })
      return next(context)
    })
    const queue = openQueue({ middlewares: [look], queueName: 'q' })
    await queue.enqueue({ at: new Date(0), gone: undefined }, { metadata: { m: 1 } })
    const args = { at: '1970-01-01T00:00:00.000Z' }
    const metadata = { m: 1 }
    expect(seen).toMatchObject([{ queueName: 'q', args, metadata, signal: false }])
    expect(seen[0]).toHaveProperty('args', args)
  })
})

describeEachDatabase('an enqueue middleware', (test) => {
  test('that never calls next makes enqueue reject, and nothing is written', async ({
    openQueue,
    rows,
  }) => {
    const skip = enqueuing((next) => async (context) => {
      if (context.args !== 'skip') await next(context)
    })
    const queue = openQueue({ middlewares: [skip] })
    expect(await refusal(queue.enqueue('skip'))).toMatchObject({
      code: 'ENQUEUE_SKIPPED',
      details: { queueName: 'default' },
    })
    expect(await refusal(queue.enqueueMany([{ args: 'a' }, { args: 'skip' }]))).toMatchObject({
      code: 'ENQUEUE_SKIPPED',
    })
    expect(await countRows(rows)).toMatchObject({ queues: 0, jobs: 0 })
  })

  test('that throws makes enqueue reject with just that, for all of enqueueMany', async ({
    openQueue,
    rows,
  }) => {
    const thrown = new Error('not today')
    const refuse = enqueuing((next) => async (context) => {
      if (context.args === 'bad') throw thrown
      await next(context)
    })
    const queue = openQueue({ middlewares: [refuse] })
    expect(await errorOf(queue.enqueue('bad'))).toBe(thrown)
    expect(await errorOf(queue.enqueueMany([{ args: 'good' }, { args: 'bad' }]))).toBe(thrown)
    expect(await countRows(rows)).toMatchObject({ jobs: 0 })
  })

  test('that calls next twice makes enqueue reject', async ({ openQueue, rows }) => {
    const twice = enqueuing((next) => async (context) => {
      await Promise.all([next(context), next(context)])
    })
    const error = await refusal(openQueue({ middlewares: [twice] }).enqueue(1))
    expect(error).toMatchObject({ code: 'INVALID_OPTION' })
    expect(error.message).toContain('next twice')
    const [{ n } = {}] = await rows('select count(*)::int4 as n from {schema}.jobs')
    expect(n).toBeLessThanOrEqual(1)
  })

  test('replaces the signal for everything further in', async ({ openQueue, rows }) => {
    const reason = new Error('the budget is spent')
    const seen: unknown[] = []
    const limit = enqueuing((next) => (context) => {
      const { signal } = context
      return next(context.withContext(AbortSignal.any([signal, AbortSignal.abort(reason)])))
    })
    const look = enqueuing((next) => (context) => {
      seen.push(context.signal.reason)
      return next(context)
    })
    const queue = openQueue({ middlewares: [limit, look] })
    expect(await errorOf(queue.enqueue(1))).toBe(reason)
    expect(await errorOf(queue.enqueueMany([{ args: 1 }, { args: 2 }]))).toBe(reason)
    expect(seen).toEqual([reason, reason, reason])
    expect(await countRows(rows)).toMatchObject({ jobs: 0 })
  })

  test('gives further in the signal of the caller', async ({ openQueue }) => {
    const signals: AbortSignal[] = []
    const look = enqueuing((next) => (context) => {
      signals.push(context.signal)
      return next(context)
    })
    const caller = new AbortController()
    const queue = openQueue({ middlewares: [look] })
    await queue.enqueue(1, { signal: caller.signal })
    caller.abort()
    expect(signals.map((signal) => signal.aborted)).toEqual([true])
  })
})

describeEachDatabase('a process middleware', (test) => {
  test('that never calls next has handled the job: it is finished', async ({ openQueue }) => {
    const ran: unknown[] = []
    const handle = processing((next) => async (context) => {
      if (context.args !== 'handled') await next(context)
    })
    const queue = openQueue(
      (job) => {
        ran.push(job.args)
        return 'by the worker'
      },
      { middlewares: [handle] },
    )
    const [handled, worked] = await queue.enqueueMany([{ args: 'handled' }, { args: 'worked' }])
    expect(await queue.drain()).toEqual({ finished: 2, failed: 0, retried: 0 })
    expect(ran).toEqual(['worked'])
    const get = async (id = ''): Promise<unknown> => queue.get(id)
    expect(await get(handled?.id)).toMatchObject({ status: 'finished', result: undefined })
    expect(await get(worked?.id)).toMatchObject({ status: 'finished', result: 'by the worker' })
  })

  test('sees the run, and the error of the worker passes through it', async ({ openQueue }) => {
    const seen: unknown[] = []
    const look = processing((next) => async (context) => {
      const { jobId, queueName, args, metadata, attempt, signal } = context
      seen.push({ jobId, queueName, args, metadata, attempt, aborted: signal.aborted })
      await next(context).catch((error: unknown) => {
        seen.push(String(error))
        throw error
      })
    })
    const queue = openQueue(
      () => {
        throw new TypeError('broken')
      },
      { middlewares: [look], queueName: 'q' },
    )
    const job = await queue.enqueue({ n: 1 }, { metadata: { m: 2 }, maxRetries: 0 })
    expect(await queue.drain()).toMatchObject({ failed: 1 })
    const { id: jobId, args, metadata } = job
    expect(seen).toEqual([
      { jobId, queueName: 'q', args, metadata, attempt: 1, aborted: false },
      'TypeError: broken',
    ])
  })

  test('that throws fails the run, and one that hides the error finishes the job', async ({
    openQueue,
  }) => {
    const middleware = processing((next) => async (context) => {
      if (context.args === 'throw') throw new RangeError('from the middleware')
      await next(context).catch(() => undefined)
    })
    const queue = openQueue(() => Promise.reject(new Error('hidden')), {
      middlewares: [middleware],
    })
    const failed = await queue.enqueue('throw', { maxRetries: 0 })
    const hidden = await queue.enqueue('hide', { maxRetries: 0 })
    expect(await queue.drain()).toEqual({ finished: 1, failed: 1, retried: 0 })
    expect(await queue.get(failed.id)).toMatchObject({
      status: 'failed',
      errors: [{ name: 'RangeError', message: 'from the middleware' }],
    })
    expect(await queue.get(hidden.id)).toMatchObject({ status: 'finished', errors: [] })
  })

  test('that calls next twice fails the run, and the worker runs once', async ({ openQueue }) => {
    let runs = 0
    const twice = processing((next) => async (context) => {
      await next(context)
      await next(context)
    })
    const queue = openQueue(() => void (runs += 1), { middlewares: [twice] })
    const job = await queue.enqueue(1, { maxRetries: 0 })
    expect(await queue.drain()).toMatchObject({ failed: 1 })
    expect(runs).toBe(1)
    const record = await queue.get(job.id)
    expect(record?.errors[0]).toMatchObject({ name: 'MillraceError' })
    expect(record?.errors[0]?.message).toContain('next twice')
  })

  test('replaces the signal that the worker is given', async ({ openQueue }) => {
    const reason = new Error('own deadline')
    const seen: unknown[] = []
    const limit = processing(
      (next) => (context) => next(context.withContext(AbortSignal.abort(reason))),
    )
    const queue = openQueue(
      (_job, context) => {
        seen.push(context.signal.reason, context.withContext(new AbortController().signal).signal)
      },
      { middlewares: [limit] },
    )
    await queue.enqueue(1)
    expect(await queue.drain()).toMatchObject({ finished: 1 })
    expect(seen).toMatchObject([reason, { aborted: false }])
  })

  test('can open an AsyncLocalStorage around the worker, one for each job', async ({
    openQueue,
  }) => {
    const tenant = new AsyncLocalStorage<unknown>()
    const seen: [unknown, unknown][] = []
    const scope = processing(
      (next) => (context) => tenant.run(context.metadata['t'], next, context),
    )
    const queue = openQueue(
      async (job) => {
        await Promise.resolve()
        seen.push([job.args, tenant.getStore()])
      },
      { middlewares: [scope] },
    )
    await queue.enqueueMany([1, 2, 3].map((n) => ({ args: n, metadata: { t: `tenant ${n}` } })))
    await queue.drain()
    expect(seen.sort(([left], [right]) => Number(left) - Number(right))).toEqual([
      [1, 'tenant 1'],
      [2, 'tenant 2'],
      [3, 'tenant 3'],
    ])
  })
})
