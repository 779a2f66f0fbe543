import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { environmentOf, MAIN } from '../cli/millrace.ts'
import { until } from '../support/until.ts'

/** Where a demo works. */
export interface Where {
  /** The working directory: the embedded database is in `.millrace/` there. */
  directory?: string
  databaseUrl?: string
  env?: Record<string, string>
}

/** A demo that ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The real demo, in a process of its own. */
export class Demo {
  readonly ended: Promise<Ended>
  #stdout = ''
  #stderr = ''
  readonly #process: ChildProcess

  constructor(args: readonly string[], where: Where, options: SpawnOptions = {}) {
    const { databaseUrl = null, directory = os.tmpdir(), env = {} } = where
    mkdirSync(directory, { recursive: true })
    this.#process = spawn(process.execPath, [MAIN, 'demo', ...args], {
      cwd: directory,
      ...options,
      env: environmentOf({ databaseUrl, env }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process.stdout?.on('data', (chunk: Buffer) => void (this.#stdout += chunk.toString()))
    this.#process.stderr?.on('data', (chunk: Buffer) => void (this.#stderr += chunk.toString()))
    this.ended = once(this.#process, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }))
  }

  /** What it has written so far. */
  get said(): string {
    return this.#stdout
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }

  /** Waits until it has written this. */
  async says(text: string): Promise<void> {
    const hasEnded = () => this.#process.exitCode !== null || this.#process.signalCode !== null
    await until(() => this.#stdout.includes(text) || hasEnded(), { what: text, withinMs: 25_000 })
    if (this.#stdout.includes(text)) return
    throw new Error(`It ended without saying "${text}":\n${this.#stdout}${this.#stderr}`)
  }

  /** Sends a real signal, and waits for the end. */
  async kill(signal: NodeJS.Signals): Promise<Ended> {
    this.#process.kill(signal)
    return this.ended
  }
}

/** A folder with so many text files, no two alike. */
export function makeFolder(count: number): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'millrace demo '))
  mkdirSync(path.join(folder, 'notes'))
  for (let n = 1; n <= count; n += 1) {
    writeFileSync(path.join(folder, 'notes', `${n}.txt`), `Line one of ${n}.\nLine two.\n`)
  }
  return folder
}
