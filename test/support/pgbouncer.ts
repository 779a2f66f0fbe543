import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import * as net from 'node:net'
import * as path from 'node:path'
import { findPostgres } from './postgres-binaries.ts'
import { makeOwnFolder } from './postgres-leftovers.ts'
import { findFreePort, serverEnvironment } from './postgres.ts'
import { findProgram } from './programs.ts'
import { until } from './until.ts'

/** A PgBouncer in front of a PostgreSQL, on 127.0.0.1, gone after `remove`. */
export interface PgBouncer {
  /** The database's URL with PgBouncer's address in it. */
  readonly url: string
  log(): string
  remove(): Promise<void>
}

/** How connections are shared. */
export interface PgBouncerOptions {
  poolMode: 'transaction' | 'session'
  /** Connections to PostgreSQL. @default 20 */
  poolSize?: number
}

/** Undefined where it is not installed. */
export function findPgBouncer(): string | undefined {
  return findProgram('pgbouncer')
}

/** Starts one in front of the server that a `postgres://` URL names. It refuses to run as root, as PostgreSQL does. */
export async function startPgBouncer(
  databaseUrl: string,
  options: PgBouncerOptions,
): Promise<PgBouncer> {
  const program = findPgBouncer()
  if (program === undefined) throw new Error('There is no pgbouncer here.')
  const user = process.getuid?.() === 0 ? findPostgres().user : undefined
  const folder = makeOwnFolder()
  const port = await findFreePort()
  const file = writeConfiguration(folder, new URL(databaseUrl), { port, ...options })
  fs.chmodSync(folder, 0o755)
  const logFile = path.join(folder, 'pgbouncer.log')
  const log = fs.openSync(logFile, 'a')
  const child = spawn(program, [file], {
    ...user,
    cwd: folder,
    env: serverEnvironment(),
    stdio: ['ignore', log, log],
  })
  fs.closeSync(log)
  const readLog = (): string => fs.readFileSync(logFile, 'utf8')
  await untilListening(child, port, readLog)
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  const endWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', endWithUs)
  return {
    url: url.href,
    log: readLog,
    remove: async () => {
      process.off('exit', endWithUs)
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.kill('SIGTERM')
        await exited
      }
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}

function writeConfiguration(
  folder: string,
  target: URL,
  { port, poolMode, poolSize = 20 }: PgBouncerOptions & { port: number },
): string {
  const users = path.join(folder, 'users.txt')
  const [name, password] = [target.username, target.password].map(decodeURIComponent)
  // Readable by the user that it runs as; what it protects dies with the run.
  fs.writeFileSync(users, `"${name}" "${password}"\n`, { mode: 0o644 })
  const file = path.join(folder, 'pgbouncer.ini')
  const lines = [
    '[databases]',
    `* = host=${target.hostname} port=${target.port === '' ? '5432' : target.port}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = scram-sha-256',
    `auth_file = ${users}`,
    `pool_mode = ${poolMode}`,
    `default_pool_size = ${poolSize}`,
    'max_client_conn = 500',
  ]
  fs.writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o644 })
  return file
}

async function untilListening(child: ChildProcess, port: number, log: () => string): Promise<void> {
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`PgBouncer did not start:\n${log()}`)
      const socket = net.connect({ host: '127.0.0.1', port })
      const isOpen = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      })
      socket.destroy()
      return isOpen
    },
    { what: 'PgBouncer' },
  )
}
