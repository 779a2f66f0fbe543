import type { JobEnqueueContext, JobProcessContext } from './contexts.ts'
import { MillraceError } from './errors.ts'
import { checkArray, invalidOption } from './validate.ts'

/** Enqueues one job. It resolves when the job is stored, or was sent in the caller's transaction. */
export type EnqueueHandler = (context: JobEnqueueContext) => Promise<void>

/** Runs one job. It resolves when the run succeeded and rejects when it failed. */
export type ProcessHandler = (context: JobProcessContext) => Promise<void>

/**
 * Wraps what happens around every job of a queue: tracing, tenants, limits, metrics. Each method is
 * called once for a queue, with the handler further in, and returns a handler around it; that one is
 * called for each job. To open a scope around the job, use `AsyncLocalStorage` around `next`.
 */
export interface Middleware {
  /** Wraps the enqueueing of a job. A handler that never calls `next` makes `enqueue` reject (`ENQUEUE_SKIPPED`). */
  enqueue?(next: EnqueueHandler): EnqueueHandler
  /** Wraps the run of a job. A handler that returns without calling `next` has handled the job: it is finished. */
  process?(next: ProcessHandler): ProcessHandler
}

/** A middleware that does nothing, to extend: override the half that you need. */
export class UnimplementedMiddleware implements Middleware {
  enqueue(next: EnqueueHandler): EnqueueHandler {
    return next
  }

  process(next: ProcessHandler): ProcessHandler {
    return next
  }
}

/** Checks the option `middlewares`, and copies it, so that a later change of the array changes nothing. */
export function checkMiddlewares(option: string, value: unknown): readonly Middleware[] {
  if (value === undefined) return []
  return checkArray(option, value, 'it takes an array of middlewares', (item, index) =>
    checkMiddleware(`${option}[${index}]`, item),
  )
}

function checkMiddleware(option: string, value: unknown): Middleware {
  const remedy = 'it takes an object with a method enqueue, or process, or both'
  if (typeof value !== 'object' || value === null) {
    throw invalidOption(option, value, remedy)
  }
  for (const name of ['enqueue', 'process'] as const) {
    const method: unknown = readMethod(value, name, option)
    if (method !== undefined && typeof method !== 'function') {
      throw invalidOption(`${option}.${name}`, method, 'it takes a method that wraps a handler')
    }
  }
  return value
}

function readMethod(value: object, name: string, option: string): unknown {
  try {
    return Reflect.get(value, name)
  } catch (error) {
    throw invalidOption(`${option}.${name}`, value, 'it throws when it is read', error)
  }
}

/** What is known of one job's way through the middlewares. It travels in the context, also in copies of it. */
interface Passage {
  /** How many middlewares have called `next`. */
  depth: number
  /** What the innermost handler does; undefined while nobody has reached it. */
  inner: Promise<unknown> | undefined
  innerHasFailed: boolean
  /** The parameters of this call, for the innermost handler. */
  readonly call: readonly unknown[]
}

const PASSAGE = Symbol('millrace.passage')

/** Any of the two contexts. */
interface AnyContext {
  readonly queueName: string
  readonly signal: AbortSignal
}

type Handler<Context> = (context: Context) => Promise<void>
type Wrap<Context> = (next: Handler<Context>) => Handler<Context>

/**
 * Makes one handler of the middlewares, the first outermost, and the innermost handler. It resolves
 * with what the innermost one resolves with, also when a middleware does not wait for it or hides its
 * error: there is no job then, and nothing else to say. Rejects with `ENQUEUE_SKIPPED` when the
 * innermost handler was not reached. `call` is passed through to it.
 */
export function composeEnqueue<Call extends unknown[], T>(
  middlewares: readonly Middleware[],
  innermost: (context: JobEnqueueContext, ...call: Call) => Promise<T>,
): (context: JobEnqueueContext, ...call: Call) => Promise<T> {
  const pass = compose(middlewares, 'enqueue', innermost)
  if (pass === undefined) return innermost
  return async (context, ...call) => {
    const passage = await pass(context, call)
    if (passage.inner !== undefined) return (await passage.inner) as T
    throw new MillraceError('ENQUEUE_SKIPPED', { queueName: context.queueName })
  }
}

/**
 * Makes one handler of the middlewares, the first outermost, and the innermost handler. It resolves
 * with what the innermost one resolves with, or with undefined when a middleware handled the job: it
 * never called `next`, or hid the error of it. `call` is passed through to the innermost handler.
 */
export function composeProcess<Call extends unknown[], T>(
  middlewares: readonly Middleware[],
  innermost: (context: JobProcessContext, ...call: Call) => Promise<T>,
): (context: JobProcessContext, ...call: Call) => Promise<T | undefined> {
  const pass = compose(middlewares, 'process', innermost)
  if (pass === undefined) return innermost
  return async (context, ...call) => {
    const passage = await pass(context, call)
    if (passage.innerHasFailed) return undefined // a middleware saw the error and returned
    return (await passage.inner) as T | undefined
  }
}

/** Undefined when no middleware has this half, so that its jobs pass at no cost. */
function compose<Context extends AnyContext, Call extends unknown[]>(
  middlewares: readonly Middleware[],
  half: 'enqueue' | 'process',
  innermost: (context: Context, ...call: Call) => Promise<unknown>,
): ((context: Context, call: Call) => Promise<Passage>) | undefined {
  const layers = middlewares
    .map((middleware, index) => ({ middleware, option: `middlewares[${index}].${half}` }))
    .filter(({ middleware }) => middleware[half] !== undefined)
  if (layers.length === 0) return undefined
  const outermost = layers.reduceRight<Handler<Context>>((inner, { middleware, option }, index) => {
    // Called as a method, so that `this` is the middleware.
    const wrap = (next: Handler<Context>): unknown =>
      (middleware as unknown as Record<typeof half, Wrap<Context>>)[half](next)
    return checkHandler(wrap(guardNext(inner, index, option)), option)
  }, reachInnermost(innermost))
  return async (context, call) => {
    const passage: Passage = { depth: 0, inner: undefined, innerHasFailed: false, call }
    await outermost({ ...context, withContext: withSignal, [PASSAGE]: passage })
    passage.depth = Number.POSITIVE_INFINITY // a next that is called now comes too late
    return passage
  }
}

function withSignal(this: object, signal: AbortSignal): object {
  return { ...this, signal }
}

function checkHandler<Context>(handler: unknown, option: string): Handler<Context> {
  if (typeof handler === 'function') return handler as Handler<Context>
  throw invalidOption(
    option,
    handler,
    'it must return a handler, such as (context) => next(context)',
  )
}

/** The `next` of one middleware, which each job may pass once. */
function guardNext<Context extends AnyContext>(
  inner: Handler<Context>,
  index: number,
  option: string,
): Handler<Context> {
  return async (context) => {
    const passage = passageOf(context, option)
    if (passage.depth === Number.POSITIVE_INFINITY) {
      throw misuse(option, 'called next after it had returned; await next inside the handler')
    }
    if (passage.depth > index) throw misuse(option, 'called next twice for one job; call it once')
    passage.depth = index + 1
    await inner(context)
  }
}

function reachInnermost<Context extends AnyContext, Call extends unknown[]>(
  innermost: (context: Context, ...call: Call) => Promise<unknown>,
): Handler<Context> {
  return async (context) => {
    const passage = passageOf(context, 'middlewares')
    // The arrow is async so that what is thrown before there is a promise is a rejection too.
    passage.inner = (async () => innermost(context, ...(passage.call as Call)))()
    passage.inner.catch(() => {
      passage.innerHasFailed = true
    })
    await passage.inner
  }
}

function passageOf(context: unknown, option: string): Passage {
  const passage = (context as { [PASSAGE]?: Passage } | undefined)?.[PASSAGE]
  if (passage !== undefined) return passage
  throw misuse(
    option,
    'called next with something else than its context; pass on the context that it was given, or a copy by withContext(signal)',
  )
}

function misuse(option: string, what: string): MillraceError {
  return new MillraceError('INVALID_OPTION', { option }, { message: `${option} ${what}.` })
}
