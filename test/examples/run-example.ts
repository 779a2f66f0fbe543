import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, inject } from 'vitest'
import { migrateUp } from '../../src/index.ts'
import { until } from '../support/until.ts'

/*
 * An example is compiled by the project's own settings against the built package, through its
 * exports, and run as a process of its own on an empty database, as by somebody who tries it.
 */

const root = path.resolve(import.meta.dirname, '../..')
const SERVE_EXPORTS = path.join(import.meta.dirname, 'serve-exports.mjs')
/** Longer than any of them takes, even on a slow machine. */
const PATIENCE_MS = 25_000

/** An example that ended. */
export interface Ended {
  /** Its exit code; a number that is not 0 comes with what it wrote to `stderr`. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** An example that serves until it is told to stop. */
export interface Serving {
  /** The address that it printed. */
  readonly url: string
  /** Ends it as a platform does, by SIGTERM, and resolves with its exit code. */
  readonly stop: () => Promise<number | null>
}

/** The examples of one test file, with an empty database for each test. */
export interface Examples {
  /** Runs the example of that name to its end. */
  run(name: string, options?: { args?: string[]; env?: Record<string, string> }): Promise<Ended>
  /** Starts the example of that name; one that `isCalled` by somebody's server is served by `serve-exports.mjs`. */
  serve(
    name: string,
    options?: { isCalled?: boolean; env?: Record<string, string> },
  ): Promise<Serving>
  /** Makes Millrace's tables in the database of this test, for an example that does not. */
  migrate(): Promise<void>
  /** Runs a statement on the database of this test. */
  rows(sql: string): Promise<Record<string, unknown>[]>
}

/** Compiles the examples before the tests of a file, and gives each test its database. */
export function useExamples(): Examples {
  const base = inject('databaseUrl')
  const admin = new Client({ connectionString: base })
  let folder = ''
  let database = ''
  let databaseUrl = ''
  let count = 0
  const children: ChildProcess[] = []

  beforeAll(async () => {
    folder = await compile()
    await admin.connect()
  })
  beforeEach(async () => {
    database = `millrace_example_${process.pid}_${(count += 1)}`
    await admin.query(`create database ${database}`)
    databaseUrl = Object.assign(new URL(base), { pathname: `/${database}` }).href
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await admin.query(`drop database if exists ${database} with (force)`)
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await admin.end()
  })

  const onDatabase = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }

  return {
    run: (name, { args = [], env = {} } = {}) =>
      runToEnd([path.join(folder, `${name}.js`), ...args], { DATABASE_URL: databaseUrl, ...env }),
    serve: (name, { isCalled = false, env = {} } = {}) => {
      const file = path.join(folder, `${name}.js`)
      const args = isCalled ? [SERVE_EXPORTS, file] : [file]
      const child = spawn(process.execPath, args, {
        env: { ...process.env, DATABASE_URL: databaseUrl, PORT: '0', ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      children.push(child)
      return readServing(child)
    },
    migrate: () => onDatabase(async (client) => void (await migrateUp(client))),
    rows: (sql) =>
      onDatabase(async (client) => (await client.query<Record<string, unknown>>(sql)).rows),
  }
}

async function readServing(child: ChildProcess): Promise<Serving> {
  let printed = ''
  child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const ended = once(child, 'exit') as Promise<[number | null]>
  const url = await until(
    () => {
      if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}.`)
      return /^http\S+$/m.exec(printed)?.[0]
    },
    { what: 'the address', withinMs: PATIENCE_MS },
  )
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM')
    return (await ended)[0]
  }
  return { url, stop }
}

async function compile(): Promise<string> {
  if (!existsSync(path.join(root, 'dist/index.js'))) throw new Error('Run `npm run build` first.')
  mkdirSync(path.join(root, 'build'), { recursive: true })
  const folder = mkdtempSync(path.join(root, 'build/examples-'))
  const { code, stdout } = await runToEnd([
    path.join(root, 'node_modules/typescript/bin/tsc'),
    ...['-p', path.join(root, 'tsconfig.examples.json'), '--outDir', folder],
  ])
  if (code !== 0) throw new Error(`The examples do not compile:\n${stdout}`)
  return folder
}

async function runToEnd(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const options = { env: { ...process.env, ...env }, timeout: PATIENCE_MS }
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options)
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as Partial<Ended>
    return {
      code: typeof code === 'number' ? code : -1,
      stdout,
      stderr: `${stderr}${code ?? 'killed'}`,
    }
  }
}
