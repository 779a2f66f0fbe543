import { createEnqueueContext, type JobEnqueueContext } from './core/contexts.ts'
import type { ResolvedJobOptions } from './core/enqueue-options.ts'
import { encodeMetadata } from './core/json.ts'
import { readMetadata } from './core/metadata.ts'
import { composeEnqueue, type Middleware } from './core/middleware.ts'
import { checkTags } from './core/tags.ts'
import type { ReadyJob } from './enqueuer.ts'

/** The way of a job through the enqueue middlewares of its queue, which are composed once. */
export class EnqueuePassage {
  readonly #queueName: string
  readonly #isEmpty: boolean
  readonly #pass: (
    context: JobEnqueueContext,
    store: (inside: JobEnqueueContext) => Promise<unknown>,
  ) => Promise<unknown>

  constructor(queueName: string, middlewares: readonly Middleware[]) {
    this.#queueName = queueName
    this.#isEmpty = middlewares.length === 0
    this.#pass = composeEnqueue(middlewares, (context, store) => store(context))
  }

  /** Lets the middlewares see a job; `store` is called inside of them with metadata, tags and signal as they left them. */
  async take<T>(
    argsJson: string,
    options: ResolvedJobOptions,
    signal: AbortSignal | undefined,
    store: (ready: ReadyJob) => Promise<T>,
  ): Promise<T> {
    const { metadataJson, tags } = options
    if (this.#isEmpty) return store({ argsJson, metadataJson, options, signal })
    const args: unknown = JSON.parse(argsJson)
    const metadata = readMetadata(metadataJson)
    const context = createEnqueueContext(
      { queueName: this.#queueName, args, metadata, tags },
      signal,
    )
    const passed = await this.#pass(context, (inside) => {
      const changed = encodeMetadata(inside.metadata)
      const tagged = { ...options, tags: checkTags('tags', inside.tags) }
      return store({ argsJson, metadataJson: changed, options: tagged, signal: inside.signal })
    })
    return passed as T
  }
}
