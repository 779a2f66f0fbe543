import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { inject } from 'vitest'
import { until } from '../support/until.ts'

/** The binary, as npm links it. */
export const MAIN = path.join(import.meta.dirname, '../../dist/cli/main.js')

/** How a command line is run. */
export interface MillraceOptions {
  /** The database; `null`: none is named, so that the embedded one is used. @default the test server */
  readonly databaseUrl?: string | null
  readonly schema?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** What stands on standard input; without it, nothing does. */
  readonly input?: string
  /** Leave standard input open, for the test to write to. */
  readonly isInteractive?: boolean
  /** On a terminal of so many columns; standard error is the same one. Needs python3. */
  readonly columns?: number
}

/** Runs a program on a terminal of its own, and exits as it does. */
const ON_TERMINAL = `
import fcntl, os, pty, struct, sys, termios
def read(fd):
    return os.read(fd, 65536)
columns = int(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 30, columns, 0, 0))
    os.execv(sys.argv[2], sys.argv[2:])
import threading
def feed():
    while True:
        data = os.read(0, 65536)
        if not data: return
        os.write(fd, data)
threading.Thread(target=feed, daemon=True).start()
while True:
    try: data = read(fd)
    except OSError: break
    if not data: break
    os.write(1, data)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`

/** Whether tests can have a terminal. */
export function hasTerminals(): boolean {
  return spawnSync('python3', ['-c', 'import pty']).status === 0
}

/** A command that ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The real `millrace`, in a process of its own. */
export class Millrace {
  readonly ended: Promise<Ended>
  readonly process: ChildProcess
  #stdout = ''
  #stderr = ''

  constructor(args: readonly string[], options: MillraceOptions = {}) {
    const { input, isInteractive = false, columns } = options
    const command = [process.execPath, MAIN, ...args]
    const terminal = ['python3', '-c', ON_TERMINAL, String(columns)]
    const [program = '', ...rest] = columns === undefined ? command : [...terminal, ...command]
    this.process = spawn(program, rest, {
      cwd: options.cwd ?? inject('scratchFolder'),
      env: environmentOf(options),
      stdio: [input === undefined && !isInteractive ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    this.process.stdin?.on('error', () => {}) // it may end before it has read everything
    if (input !== undefined) this.process.stdin?.end(input)
    this.process.stdout?.on('data', (chunk: Buffer) => void (this.#stdout += chunk.toString()))
    this.process.stderr?.on('data', (chunk: Buffer) => void (this.#stderr += chunk.toString()))
    this.ended = once(this.process, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }))
  }

  get pid(): number {
    return this.process.pid ?? -1
  }

  get stdout(): string {
    return this.#stdout
  }

  /** Waits until it has written this, on standard output or standard error. */
  async says(text: string | RegExp): Promise<void> {
    const hasSaid = () => {
      const said = this.#stdout + this.#stderr
      return typeof text === 'string' ? said.includes(text) : text.test(said)
    }
    const hasEnded = () => this.process.exitCode !== null || this.process.signalCode !== null
    await until(() => hasSaid() || hasEnded(), { what: String(text), withinMs: 25_000 })
    if (hasSaid()) return
    throw new Error(`It ended without saying "${text}":\n${this.#stdout}${this.#stderr}`)
  }

  /** Sends a real signal, and waits for the end. */
  async kill(signal: NodeJS.Signals): Promise<Ended> {
    this.process.kill(signal)
    return this.ended
  }
}

/** Runs a command line to its end. */
export function millrace(args: readonly string[], options?: MillraceOptions): Promise<Ended> {
  return new Millrace(args, options).ended
}

/** Nothing of the caller's settings reaches the command. */
export function environmentOf({ databaseUrl, schema, env }: MillraceOptions): NodeJS.ProcessEnv {
  const url = databaseUrl === undefined ? inject('databaseUrl') : databaseUrl
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(PG|MILLRACE_|DATABASE_URL$|FORCE_COLOR$|NO_COLOR$|NODE_OPTIONS$)/.test(name),
  )
  return {
    ...Object.fromEntries(kept),
    ...(url === null ? {} : { DATABASE_URL: url }),
    ...(schema === undefined ? {} : { MILLRACE_SCHEMA: schema }),
    ...env,
  }
}
