import type { Duration } from '../../src/core/duration.ts'
import type { QueueOptions } from '../../src/core/queue-options.ts'
import type { ReceiveOptions } from '../../src/core/receive-options.ts'
import { Child, type ChildOptions } from './child-process.ts'

/** What the handler of a child does with a job: the job's arguments say it. */
export interface JobScript {
  /**
   * `return`: returns `result` · `throw` · `discard` · `snooze` once, by `delay` · `hold`: runs until
   * `release`, or throws the reason when its signal aborts, telling `aborted` with its `code` · `deaf`:
   * tells `aborted` but goes on until `release` · `work` for `ms` · `block` the event loop for `ms` ·
   * `block-once`: the same, in its first run only · `hog`: keeps a connection of the pool for `ms` ·
   * `report`: reports `result` as its progress and logs
   * `message`, then as `hold` · `misbehave` in its first run, as `how` says · `exit` with `code` · `kill` itself by SIGKILL. @default 'return'
   */
  do?:
    | 'return'
    | 'throw'
    | 'discard'
    | 'snooze'
    | 'hold'
    | 'deaf'
    | 'work'
    | 'block'
    | 'block-once'
    | 'hog'
    | 'report'
    | 'misbehave'
    | 'exit'
    | 'kill'
  /** So many runs throw before that. */
  failures?: number
  result?: unknown
  message?: string
  delay?: Duration
  ms?: number
  code?: number
  /** What it throws, or that it never ends. */
  how?: 'string' | 'null' | 'undefined' | 'symbol' | 'getters' | 'huge' | 'never'
}

/** What a child that receives is told; its script is `children/worker.mjs`. */
export interface WorkerConfig {
  databaseUrl: string
  poolSize: number
  queue: Omit<QueueOptions, 'logger' | 'middlewares'>
  /** The table in which each run leaves a row, before it does anything else. */
  runLog?: string | undefined
  /** The folder in which each process writes down its runs; see test/faults/executions.ts. */
  executions?: string | undefined
  quiet: boolean
}

/** How a child receives: the options of `receive`, and more about the child. */
export interface WorkerOptions extends Omit<ReceiveOptions, 'signal'> {
  /** The queue's own options. @default the schema of the test, queue 'default' */
  queue?: WorkerConfig['queue']
  /** Another way to the database, such as a proxy. */
  databaseUrl?: string
  /** @default 5 */
  poolSize?: number
  /** The fully quoted table of `runLog.table`. */
  runLog?: string
  /** A folder in which the process writes down when its runs begin and end, which no database can lose. */
  executions?: string
  /** Another script than `children/worker.mjs`: that of another build, say. */
  script?: string
  /** What Node is started with. */
  process?: Pick<ChildOptions, 'env' | 'execArgv'>
  /** Tells nothing of jobs that just return: for a worker that is to be quick. */
  quiet?: boolean
  /** Only opens the queue; `worker.receive()` comes later or never. */
  idle?: boolean
}

/** A process that receives, and what it can be asked for. */
export class WorkerProcess extends Child {
  readonly #defaults: { databaseUrl: string; schema: string }
  #queueName = 'default'

  constructor(
    defaults: { databaseUrl: string; schema: string },
    { script = 'worker.mjs', ...options }: ChildOptions & { script?: string | undefined },
  ) {
    super(script, options)
    this.#defaults = defaults
  }

  /** Opens a queue, and receives it unless `idle`. May be called again for other queues. */
  async open(options: WorkerOptions): Promise<void> {
    const { queue, databaseUrl, poolSize = 5, runLog, executions, ...others } = options
    const { quiet = false, idle = false, script: _script, process: _process, ...receive } = others
    const { schema } = this.#defaults
    await this.call('open', {
      databaseUrl: databaseUrl ?? this.#defaults.databaseUrl,
      poolSize,
      queue: { schema, ...queue },
      runLog,
      executions,
      quiet,
    } satisfies WorkerConfig)
    this.#queueName = queue?.queueName ?? 'default'
    if (!idle) await this.receive(receive)
  }

  /** Receives the queue that was opened last. Resolves once the process is registered as a worker. */
  async receive(options: Omit<ReceiveOptions, 'signal'> = {}): Promise<void> {
    await this.call('receive', { queueName: this.#queueName, options })
  }

  /** Stops gracefully; resolves when `receive` did, with the time that took. */
  async stop(withinMs?: number): Promise<{ ms: number }> {
    return (await this.call('stop', undefined, withinMs)) as { ms: number }
  }

  /** Lets a job that is on `hold` or `deaf` return; without an id all of them, those to come too. */
  async release(jobId?: string): Promise<void> {
    await this.call('release', jobId)
  }

  /** Enqueues from this process; resolves with the job as JSON has it. */
  async enqueue(args: JobScript, options?: object): Promise<{ id: string }> {
    return (await this.call('enqueue', { queueName: this.#queueName, args, options })) as {
      id: string
    }
  }

  /** Cancels a job from this process. */
  async cancel(id: string): Promise<unknown> {
    return this.call('cancel', { queueName: this.#queueName, id })
  }

  /** Pauses the queue from this process. */
  async pause(options?: object): Promise<unknown> {
    return this.call('pause', { queueName: this.#queueName, options })
  }

  /** Resumes the queue from this process. */
  async resume(): Promise<unknown> {
    return this.call('resume', { queueName: this.#queueName })
  }

  /** Works off what is due. */
  async drain(options?: object): Promise<unknown> {
    return this.call('drain', { queueName: this.#queueName, options })
  }

  /** Ends the pool and lets go; the process then ends by itself, unless something is left that keeps it. */
  async leave(): Promise<void> {
    await this.call('leave')
  }

  /** Waits until a handler is inside of a run of this job. */
  async untilRuns(jobId: string, attempt?: number): Promise<void> {
    await this.next('run', { jobId, ...(attempt === undefined ? {} : { attempt }) })
  }
}
