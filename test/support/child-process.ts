import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import * as path from 'node:path'
import type { MillraceEvent } from '../../src/core/events.ts'
import type { EventLog } from './event-log.ts'
import { PATIENCE_MS } from './until.ts'

/** What a child tells: at least of which kind it is. */
export interface ChildMessage {
  readonly type: string
  readonly [field: string]: unknown
}

/** How a process ended. */
export interface ExitStatus {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** How a child is started. */
export interface ChildOptions {
  args?: string[]
  env?: Record<string, string>
  /** Node's own options, such as `--max-old-space-size=200`. */
  execArgv?: string[]
  /** Where its events go. */
  events?: EventLog
}

/**
 * A real process. It runs plain JavaScript against `dist/` (Node 20 runs no TypeScript), speaks
 * through `children/channel.mjs`, and is killed at the end of its test.
 */
export class Child {
  /** Resolves when it ended, however it did. */
  readonly exited: Promise<ExitStatus>
  /** Everything that it told but for answers and events. */
  readonly messages: ChildMessage[] = []
  readonly #process: ChildProcess
  readonly #name: string
  readonly #unread: ChildMessage[] = []
  readonly #lookers = new Set<() => void>()
  readonly #answers = new Map<number, (answer: ChildMessage) => void>()
  #output = ''
  #calls = 0

  /** `script`: the name of a file in `children/`, or a path. */
  constructor(script: string, options: ChildOptions = {}) {
    this.#name = path.basename(script)
    const file = path.resolve(import.meta.dirname, 'children', script)
    this.#process = fork(file, options.args ?? [], {
      env: { ...process.env, ...options.env },
      execArgv: options.execArgv ?? [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const keep = (chunk: Buffer): void => void (this.#output += chunk.toString())
    this.#process.stdout?.on('data', keep)
    this.#process.stderr?.on('data', keep)
    this.#process.on('message', (message) => this.#hear(message as ChildMessage, options.events))
    // A message to a child that has just died; its end is what counts.
    this.#process.on('error', () => undefined)
    this.exited = once(this.#process, 'exit').then(([code, signal]) => {
      for (const look of this.#lookers) look()
      return { code: code as number | null, signal: signal as NodeJS.Signals | null }
    })
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }

  get hasExited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  /** What it wrote to its standard output and error so far. */
  get output(): string {
    return this.#output
  }

  /** Waits for a message of this type that nobody waited for yet. */
  async next(
    type: string,
    fields: Record<string, unknown> = {},
    withinMs = PATIENCE_MS,
  ): Promise<ChildMessage> {
    const take = (): ChildMessage | undefined => {
      const index = this.#unread.findIndex(
        (message) =>
          message.type === type &&
          Object.entries(fields).every(([name, value]) => message[name] === value),
      )
      return index === -1 ? undefined : this.#unread.splice(index, 1)[0]
    }
    return this.#wait(take, `a message ${type} ${JSON.stringify(fields)}`, withinMs)
  }

  /** Asks it to do something (`serve` in its script) and waits for the answer; its error becomes ours. */
  async call(command: string, payload?: unknown, withinMs = PATIENCE_MS): Promise<unknown> {
    const id = (this.#calls += 1)
    let answer: ChildMessage | undefined
    this.#answers.set(id, (message) => (answer = message))
    this.send({ id, command, payload })
    const { error, result } = await this.#wait(() => answer, `the answer to ${command}`, withinMs)
    if (error !== undefined) throw Object.assign(new Error(), error)
    return result
  }

  send(message: object): void {
    if (this.#process.connected) this.#process.send(message)
  }

  /** Sends a real signal. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#process.kill(signal)
  }

  /** Ends it for good, also when it is stopped by SIGSTOP. */
  async end(): Promise<void> {
    if (!this.hasExited) this.#process.kill('SIGKILL')
    await this.exited
  }

  async #wait<T>(take: () => T | undefined, what: string, withinMs: number): Promise<T> {
    const already = take()
    if (already !== undefined) return already
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail(`did not come in ${withinMs} ms`), withinMs)
      const end = (): void => {
        clearTimeout(timer)
        this.#lookers.delete(look)
      }
      const fail = (why: string): void => {
        end()
        reject(new Error(`${this.#name}: ${what} ${why}. Its output: ${this.#output}`))
      }
      const look = (): void => {
        const found = take()
        if (found === undefined) return this.hasExited ? fail('cannot come: it ended') : undefined
        end()
        resolve(found)
      }
      this.#lookers.add(look)
      look()
    })
  }

  #hear(message: ChildMessage, events: EventLog | undefined): void {
    if (message.type === 'event') events?.record(message['event'] as MillraceEvent, this.pid)
    else if (message.type === 'answer') this.#answers.get(Number(message['id']))?.(message)
    else {
      this.messages.push(message)
      this.#unread.push(message)
    }
    for (const look of this.#lookers) look()
  }
}
