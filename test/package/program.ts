import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Where and with what a program runs. */
export interface ProgramOptions {
  /** What runs it. @default this Node */
  runtime?: string | undefined
  folder: string
  args?: readonly string[]
  databaseUrl?: string
}

/** A program of a user's: no channel to us, nothing but its arguments, its environment and its output. */
export class Program {
  /** Resolves with its exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string | null>
  readonly #process: ChildProcess
  #output = ''

  constructor(file: string, options: ProgramOptions) {
    const { runtime = process.execPath, folder, args = [], databaseUrl = '' } = options
    const { PATH = '', SystemRoot = '' } = process.env
    this.#process = spawn(runtime, [file, ...args], {
      cwd: folder,
      env: { PATH, SystemRoot, DATABASE_URL: databaseUrl, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const keep = (chunk: Buffer): void => void (this.#output += chunk.toString())
    this.#process.stdout?.on('data', keep)
    this.#process.stderr?.on('data', keep)
    this.ended = once(this.#process, 'close').then(
      ([code, signal]) => (code as number | null) ?? (signal as string | null),
    )
  }

  /** What it wrote to its standard output and error so far. */
  get output(): string {
    return this.#output
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }
}

/** Runs a program to its end. */
export async function run(
  file: string,
  options: ProgramOptions,
): Promise<{ code: number | string | null; output: string }> {
  const program = new Program(file, options)
  // One that does not end is ended, so that its test says what it wrote.
  const timer = setTimeout(() => program.kill('SIGKILL'), 110_000)
  const code = await program.ended
  clearTimeout(timer)
  return { code, output: program.output.trim() }
}
