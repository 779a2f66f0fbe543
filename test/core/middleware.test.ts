import { describe, expect, test } from 'vitest'
import {
  createEnqueueContext,
  createProcessContext,
  type JobEnqueueContext,
  type JobProcessContext,
} from '../../src/core/contexts.ts'
import {
  composeEnqueue,
  composeProcess,
  UnimplementedMiddleware,
  type EnqueueHandler,
  type Middleware,
  type ProcessHandler,
} from '../../src/core/middleware.ts'

const job = { id: '7', queueName: 'emails', args: { to: 'ada' }, attempt: 1 }
const enqueueContext = (): JobEnqueueContext => createEnqueueContext({ ...job, metadata: {} })
const processContext = (): JobProcessContext =>
  createProcessContext({ ...job, metadata: {} }, new AbortController().signal)

/** Says when it is entered and left, in both halves. */
function tracer(name: string, seen: string[]): Middleware {
  const around =
    <Context>(next: (context: Context) => Promise<void>) =>
    async (context: Context) => {
      seen.push(`+${name}`)
      await next(context)
      seen.push(`-${name}`)
    }
  return { enqueue: around, process: around }
}

const enqueueOnly = (enqueue: (next: EnqueueHandler) => EnqueueHandler): Middleware => ({ enqueue })
const processOnly = (process: (next: ProcessHandler) => ProcessHandler): Middleware => ({ process })

describe('both halves', () => {
  test('the first middleware is outermost', async () => {
    const seen: string[] = []
    const middlewares = [tracer('a', seen), tracer('b', seen)]
    const innermost = async (): Promise<string> => {
      seen.push('stored')
      return 'job'
    }
    expect(await composeEnqueue(middlewares, innermost)(enqueueContext())).toBe('job')
    expect(seen).toEqual(['+a', '+b', 'stored', '-b', '-a'])
    seen.length = 0
    expect(await composeProcess(middlewares, innermost)(processContext())).toBe('job')
    expect(seen).toEqual(['+a', '+b', 'stored', '-b', '-a'])
  })

  test('without middlewares, or with none for this half, nothing stands between', () => {
    const innermost = async (): Promise<void> => {}
    expect(composeEnqueue([], innermost)).toBe(innermost)
    expect(composeEnqueue([{}, processOnly((next) => next)], innermost)).toBe(innermost)
    expect(composeProcess([enqueueOnly((next) => next)], innermost)).toBe(innermost)
  })

  test('the parameters of a call reach the innermost handler', async () => {
    const handle = composeProcess(
      [tracer('a', [])],
      async (context, first: number, second: string) => `${context.jobId} ${first} ${second}`,
    )
    expect(
      await Promise.all([handle(processContext(), 1, 'x'), handle(processContext(), 2, 'y')]),
    ).toEqual(['7 1 x', '7 2 y'])
  })

  test('a class keeps its state and its `this`, for all jobs', async () => {
    class Counting extends UnimplementedMiddleware {
      wrapped = 0
      passed = 0
      override process(next: ProcessHandler): ProcessHandler {
        this.wrapped += 1
        return async (context) => {
          this.passed += 1
          await next(context)
        }
      }
    }
    const counting = new Counting()
    const handle = composeProcess([counting], async () => {})
    await Promise.all([
      handle(processContext()),
      handle(processContext()),
      handle(processContext()),
    ])
    expect(counting).toMatchObject({ wrapped: 1, passed: 3 })
  })

  test('UnimplementedMiddleware changes nothing', async () => {
    const handle = composeEnqueue([new UnimplementedMiddleware(), tracer('a', [])], async () => 5)
    expect(await handle(enqueueContext())).toBe(5)
  })

  test('another signal reaches everything further in, and nothing further out', async () => {
    const other = AbortSignal.abort()
    const seen: boolean[] = []
    const look = processOnly((next) => async (context) => {
      seen.push(context.signal.aborted)
      await next(context)
      seen.push(context.signal.aborted)
    })
    const replace = processOnly((next) => (context) => next(context.withContext(other)))
    await composeProcess([look, replace, look], async (context) =>
      seen.push(context.signal === other),
    )(processContext())
    expect(seen).toEqual([false, true, true, true, false])
  })

  test('changes of the metadata are seen further in', async () => {
    const stamp = enqueueOnly((next) => async (context) => {
      context.metadata['trace'] = 'abc'
      await next(context.withContext(context.signal))
    })
    const stored = await composeEnqueue(
      [stamp],
      async (context) => context.metadata,
    )(enqueueContext())
    expect(stored).toEqual({ trace: 'abc' })
  })

  test('a copy that was made by hand passes too', async () => {
    const copy = enqueueOnly((next) => (context) => next({ ...context, metadata: { mine: 1 } }))
    expect(
      await composeEnqueue([copy], async (context) => context.metadata)(enqueueContext()),
    ).toEqual({ mine: 1 })
  })

  test('a context that another middleware made up is refused', async () => {
    const foreign = enqueueContext()
    const forget = enqueueOnly((next) => () => next(foreign))
    await expect(composeEnqueue([forget], async () => 1)(enqueueContext())).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      details: { option: 'middlewares[0].enqueue' },
      message: expect.stringContaining('withContext(signal)') as string,
    })
  })

  test('a method that returns no handler is refused at once', () => {
    // @ts-expect-error it forgot to return
    const forgetful: Middleware = { process() {} }
    expect(() => composeProcess([{}, forgetful], async () => {})).toThrow('middlewares[1].process')
  })

  test('a handler that throws before it returns a promise rejects', async () => {
    const abrupt = processOnly(() => () => {
      throw new Error('abrupt')
    })
    await expect(
      composeProcess([tracer('a', []), abrupt], async () => {})(processContext()),
    ).rejects.toThrow('abrupt')
  })
})

describe('calling next twice', () => {
  const twice =
    <Context>(next: (context: Context) => Promise<void>) =>
    async (context: Context) => {
      await next(context)
      await next(context)
    }

  test.each([0, 1, 2])('rejects in the middleware at place %d', async (place) => {
    const middlewares = [tracer('a', []), tracer('b', [])]
    middlewares.splice(place, 0, { enqueue: twice, process: twice })
    let stored = 0
    const innermost = async (): Promise<void> => void (stored += 1)
    const error = {
      code: 'INVALID_OPTION',
      message: `middlewares[${place}].enqueue called next twice for one job; call it once.`,
    }
    await expect(composeEnqueue(middlewares, innermost)(enqueueContext())).rejects.toMatchObject(
      error,
    )
    expect(stored).toBe(1)
    await expect(composeProcess(middlewares, innermost)(processContext())).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    })
    expect(stored).toBe(2)
  })

  test('rejects also at the same time', async () => {
    const both = enqueueOnly(
      (next) => async (context) =>
        void (await Promise.all([next(context), next(context.withContext(context.signal))])),
    )
    let stored = 0
    await expect(
      composeEnqueue([both], async () => (stored += 1))(enqueueContext()),
    ).rejects.toThrow('twice')
    expect(stored).toBe(1)
  })

  test('for two jobs is not twice', async () => {
    const handle = composeEnqueue([tracer('a', [])], async () => 1)
    expect(await handle(enqueueContext())).toBe(1)
    expect(await handle(enqueueContext())).toBe(1)
  })

  test('after the middleware returned does nothing', async () => {
    let late: Promise<void> = Promise.resolve()
    let go = (): void => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    const tooLate = enqueueOnly((next) => async (context) => {
      late = (async () => {
        await gate
        await next(context)
      })()
    })
    let stored = 0
    await expect(
      composeEnqueue([tooLate], async () => (stored += 1))(enqueueContext()),
    ).rejects.toMatchObject({ code: 'ENQUEUE_SKIPPED' })
    go()
    await expect(late).rejects.toThrow('called next after it had returned')
    expect(stored).toBe(0)
  })
})

describe('an enqueue middleware', () => {
  test('that never calls next makes it reject with ENQUEUE_SKIPPED', async () => {
    const skip = enqueueOnly(() => async () => {})
    await expect(
      composeEnqueue([tracer('a', []), skip], async () => 1)(enqueueContext()),
    ).rejects.toMatchObject({
      code: 'ENQUEUE_SKIPPED',
      details: { queueName: 'emails' },
    })
  })

  test('that hides the error of next does not hide it from the caller', async () => {
    const hide = enqueueOnly((next) => (context) => next(context).catch(() => {}))
    const fail = async (): Promise<never> => {
      throw new Error('the database is away')
    }
    await expect(composeEnqueue([hide], fail)(enqueueContext())).rejects.toThrow(
      'the database is away',
    )
  })

  test('that hides what the inside threw at once does not hide it either', async () => {
    const hide = enqueueOnly((next) => (context) => next(context).catch(() => {}))
    const abrupt = (): Promise<never> => {
      throw new Error('bad metadata')
    }
    await expect(composeEnqueue([hide], abrupt)(enqueueContext())).rejects.toThrow('bad metadata')
  })

  test('that does not wait for next still answers the job', async () => {
    const hasty = enqueueOnly((next) => async (context) => void next(context))
    expect(await composeEnqueue([hasty], async () => 'job')(enqueueContext())).toBe('job')
  })

  test('may reject instead of enqueueing', async () => {
    const refuse = enqueueOnly(() => async () => {
      throw new RangeError('too many')
    })
    await expect(composeEnqueue([refuse], async () => 1)(enqueueContext())).rejects.toThrow(
      RangeError,
    )
  })
})

describe('a process middleware', () => {
  const fail = async (): Promise<never> => {
    throw new Error('boom')
  }

  test('that never calls next has handled the job', async () => {
    const handled = processOnly(() => async () => {})
    expect(await composeProcess([handled], fail)(processContext())).toBeUndefined()
  })

  test('that hides the error of next has handled the job', async () => {
    const hide = processOnly((next) => (context) => next(context).catch(() => {}))
    expect(await composeProcess([hide], fail)(processContext())).toBeUndefined()
  })

  test('that throws after next makes the run fail', async () => {
    const strict = processOnly((next) => async (context) => {
      await next(context)
      throw new Error('not good enough')
    })
    await expect(composeProcess([strict], async () => 1)(processContext())).rejects.toThrow(
      'not good enough',
    )
  })

  test('that does not wait for next is waited for, and its error is not lost', async () => {
    const hasty = processOnly((next) => async (context) => void next(context).catch(() => {}))
    expect(await composeProcess([hasty], async () => 'result')(processContext())).toBe('result')
    const later = async (): Promise<never> => {
      await new Promise((resolve) => setImmediate(resolve))
      throw new Error('boom')
    }
    await expect(composeProcess([hasty], later)(processContext())).rejects.toThrow('boom')
  })
})
