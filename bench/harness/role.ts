import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Answer, ProcedureName, Procedures } from './procedures.ts'
import { within } from './clock.ts'

/** No single call takes longer, or it counts as hung: filling a backlog of 5 million is the longest. */
const CALL_LIMIT_MS = 300_000
const KEPT_OUTPUT = 1_000

/** How a process of a run is started. */
export interface RoleProgram {
  /** The Node that runs it. */
  readonly node: string
  readonly script: string
  /** Where the built Millrace is, if not in this checkout's `dist`: an absolute path. */
  readonly dist?: string
}

/** Lets a process find another build of Millrace. */
const OTHER_BUILD = path.join(import.meta.dirname, 'other-build.mjs')

const living = new Set<ChildProcess>()

/** Ends every process of every run: whatever waits for one of them fails. */
export function endAllRoles(): void {
  for (const child of living) child.kill('SIGKILL')
}

/** A process of a run, as its parent sees it. What it can be asked for is in `procedures.ts`. */
export class Role {
  readonly #child: ChildProcess
  readonly #calls = new Map<
    number,
    { resolve: (result: unknown) => void; reject: (error: Error) => void }
  >()
  #count = 0
  #output = ''

  constructor({ node, script, dist }: RoleProgram) {
    const otherBuild = dist === undefined ? [] : ['--import', OTHER_BUILD]
    this.#child = fork(script, [], {
      execPath: node,
      execArgv: ['--disable-warning=ExperimentalWarning', ...otherBuild],
      env: { ...process.env, ...(dist !== undefined && { MILLRACE_BENCH_DIST: dist }) },
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const child = this.#child
    living.add(child)
    child.once('exit', () => living.delete(child))
    this.#child.on('message', (answer: Answer) => this.#settle(answer))
    this.#child.once('error', (error) => this.#fail(error.message))
    this.#child.once('exit', (code, signal) => this.#fail(`ended with ${signal ?? code}`))
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.#output = (this.#output + data.toString()).slice(-KEPT_OUTPUT)
      })
    }
  }

  /** Asks for something; rejects with the process's own error, when it ends, and when it takes too long. */
  async call<Name extends ProcedureName>(
    name: Name,
    ...[argument]: Parameters<Procedures[Name]>
  ): Promise<ReturnType<Procedures[Name]>> {
    this.#count += 1
    const id = this.#count
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
      this.#child.send({ id, name, argument }, (error) => error && reject(error))
    })
    return (await within(CALL_LIMIT_MS, `The call of ${name}`, answered)) as ReturnType<
      Procedures[Name]
    >
  }

  /** Ends the process, whatever it does. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  #settle(answer: Answer): void {
    const call = this.#calls.get(answer.id)
    this.#calls.delete(answer.id)
    if ('error' in answer) call?.reject(new Error(answer.error))
    else call?.resolve(answer.result)
  }

  #fail(how: string): void {
    for (const call of this.#calls.values()) {
      call.reject(new Error(`A process of the run ${how}. ${this.#output}`.trim()))
    }
    this.#calls.clear()
  }
}
