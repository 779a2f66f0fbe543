import { createInterface } from 'node:readline/promises'
import type { Readable } from 'node:stream'
import { EXIT, usageFailure, type ExitCode } from './failure.ts'
import { LiveLine } from './terminal/live-line.ts'
import { renderTable, type Column } from './terminal/table.ts'
import { Terminal, type Output } from './terminal/terminal.ts'

/** npm passes Ctrl-C on to us, who have had it from the terminal already: only a later one is a second one. */
const SAME_CTRL_C_MS = 1_000

/** What a command line has around it: in a process the process's own, in tests whatever they like. */
export interface Surroundings {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

/** What every command is given: where to write, how, and when to stop. */
export class Cli {
  readonly stdin: Surroundings['stdin']
  readonly env: Surroundings['env']
  readonly cwd: string
  /** Standard output: the answer of a command, and nothing else. */
  readonly out: Terminal
  /** Standard error: what is said besides, for people. */
  readonly err: Terminal
  /** `--json` was given: machines read the output. Set before a command runs. */
  isJson = false
  /** What the process exits with. A command sets it when that is not 0; throwing sets it too. */
  exitCode: ExitCode = EXIT.done
  /** What no message may show: passwords, in every way in which they are written. */
  readonly secrets = new Set<string>()
  #stop: AbortController | undefined
  #stoppedBy: 'SIGINT' | 'SIGTERM' | undefined

  constructor({ stdin, stdout, stderr, env, cwd }: Surroundings) {
    this.stdin = stdin
    this.env = env
    this.cwd = cwd
    this.out = new Terminal(stdout, env)
    this.err = new Terminal(stderr, env)
  }

  /**
   * Aborts at the first SIGINT or SIGTERM; a second one ends the process at once. Signals are caught
   * from the first time that somebody asks for this: a command that never does simply dies of them.
   */
  get stop(): AbortSignal {
    this.#stop ??= this.#catchSignals()
    return this.#stop.signal
  }

  /** The exit code of a command that the signal kept from being done; undefined when none came. */
  get stoppedWith(): ExitCode | undefined {
    if (this.#stoppedBy === undefined) return undefined
    return this.#stoppedBy === 'SIGINT' ? EXIT.interrupted : EXIT.terminated
  }

  /** Writes a line of the answer. What comes from others must have been made `printable`. */
  print(line = ''): void {
    this.out.print(line)
  }

  /** Says something besides the answer, on standard error; machines are spared it. */
  note(line: string): void {
    if (!this.isJson) this.err.print(line)
  }

  /** Answers a table. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    const { columns: width, paint } = this.out
    for (const line of renderTable(columns, rows, { width, paint })) this.print(line)
  }

  /** Answers a JSON document: in one line for machines, indented on a terminal. */
  json(value: unknown): void {
    this.print(JSON.stringify(value, undefined, this.out.isTerminal ? 2 : undefined))
  }

  /** Answers a value of a stream of JSON lines. */
  jsonLine(value: unknown): void {
    this.print(JSON.stringify(value))
  }

  /** A line of progress, on standard error. With `--json` show nothing on it. */
  progress(): LiveLine {
    return new LiveLine(this.err)
  }

  /** Asks on a terminal; where nobody can answer, says what to pass instead. */
  async confirm(question: string): Promise<boolean> {
    if (this.stdin.isTTY !== true || !this.err.isTerminal || this.isJson) {
      throw usageFailure(`${question} Nobody can be asked here: pass --yes.`)
    }
    const write = (chunk: string): void => this.err.write(chunk)
    write(`${question} [y/N] `)
    const lines = createInterface({ input: this.stdin, terminal: false })
    try {
      for await (const line of lines) return /^y(es)?$/i.test(line.trim())
      return false
    } finally {
      lines.close()
    }
  }

  /** The text without what no message may show. */
  withoutSecrets(text: string): string {
    const secrets = [...this.secrets].sort((left, right) => right.length - left.length)
    return secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
  }

  #catchSignals(): AbortController {
    const stop = new AbortController()
    let stoppedAt = 0
    const end = (signal: 'SIGINT' | 'SIGTERM'): void => {
      const isEcho = signal === 'SIGINT' && performance.now() - stoppedAt < SAME_CTRL_C_MS
      if (this.#stoppedBy !== undefined && !isEcho) {
        process.exit(signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated)
      }
      if (this.#stoppedBy !== undefined) return
      this.#stoppedBy = signal
      stoppedAt = performance.now()
      stop.abort()
    }
    process.on('SIGINT', end)
    process.on('SIGTERM', end)
    return stop
  }
}
