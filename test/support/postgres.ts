import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import * as fs from 'node:fs'
import * as net from 'node:net'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findPostgres, type PostgresBinaries } from './postgres-binaries.ts'
import { endLeftovers, makeOwnFolder, postmasterOf } from './postgres-leftovers.ts'

const START_WITHIN_MS = 30_000

/** `fast` ends sessions and writes a checkpoint; `immediate` is a crash of the server with recovery at the next start. */
export type StopMode = 'fast' | 'immediate'

/** What a server can be started with. */
export interface PostgresOptions {
  /** Settings of `postgresql.conf` over the defaults below. */
  settings?: Record<string, string | number | boolean>
  /** Called with the empty folder that is to hold the data, before anything is in it: to mount something there. */
  prepareDataFolder?: (folder: string) => void
}

const DEFAULT_SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '128MB',
  max_connections: 300,
}

/** A PostgreSQL of our own: real, on disk, on 127.0.0.1 and on a socket, gone after `remove`. */
export interface PostgresServer {
  /** Connects as the superuser, to the database `postgres`. */
  readonly url: string
  readonly port: number
  /** Holds the socket: connect with this as host and `port`. */
  readonly socketFolder: string
  readonly dataFolder: string
  /** The server's process; undefined while it is stopped. */
  readonly pid: number | undefined
  /** Starts it again, on the same port with the same data; resolves once it takes connections. */
  start(): Promise<void>
  /** Stops it, the hard way when the gentle one takes longer than 10 s. */
  stop(mode?: StopMode): Promise<void>
  /** `stop(mode)`, then `start()`. */
  restart(mode?: StopMode): Promise<void>
  /** SIGKILL to the postmaster: nobody says goodbye to anybody. */
  kill(): Promise<void>
  /** Stops it and removes its folder. */
  remove(): Promise<void>
  /** Lets it live on after this process; the next run of the tests ends it. */
  leaveRunning(): void
  /** What the server logged, for a test that wants to know or to say why. */
  log(): string
}

/** Makes a new, empty PostgreSQL and starts it. Whoever calls this calls `remove()` at the end. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const binaries = findPostgres()
  await endLeftovers()
  const folder = makeOwnFolder()
  try {
    const password = randomBytes(12).toString('hex')
    await createCluster(binaries, folder, password, options.prepareDataFolder)
    const server = new OwnServer(binaries, folder, password, options.settings ?? {})
    await server.startOnFreePort()
    return server
  } catch (error) {
    fs.rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** initdb, by the user whom the server will run as; the folder above stays ours, so that a later run can trust it. */
async function createCluster(
  { initdb, user }: PostgresBinaries,
  folder: string,
  password: string,
  prepareDataFolder: (folder: string) => void = () => {},
): Promise<void> {
  fs.chmodSync(folder, 0o711)
  const passwordFile = path.join(folder, 'password')
  fs.writeFileSync(passwordFile, password, { mode: 0o600 })
  for (const name of ['data', 'socket']) {
    fs.mkdirSync(path.join(folder, name), { mode: name === 'data' ? 0o700 : 0o755 })
    if (name === 'data') prepareDataFolder(path.join(folder, name))
    if (user !== undefined) fs.chownSync(path.join(folder, name), user.uid, user.gid)
  }
  if (user !== undefined) fs.chownSync(passwordFile, user.uid, user.gid)
  const args = [
    `--pgdata=${path.join(folder, 'data')}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    // One round of hashing: a test opens many connections, and the password is random and dies with the server.
    ...((await majorOf(initdb)) >= 16 ? ['--set=scram_iterations=1'] : []),
    '--encoding=UTF8',
    '--no-locale',
    '--no-sync',
  ]
  await promisify(execFile)(initdb, args, { ...user, cwd: folder, env: serverEnvironment() })
  fs.rmSync(passwordFile)
}

/** 18 for `initdb (PostgreSQL) 18.4`. */
async function majorOf(initdb: string): Promise<number> {
  const { stdout } = await promisify(execFile)(initdb, ['--version'], { env: serverEnvironment() })
  return Number(/\d+/.exec(stdout)?.[0])
}

/** Nothing of the caller's PG* settings may reach the server. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], TZ: 'UTC', LC_ALL: 'C' }
}

/** A cluster in a folder of ours, and its server. */
export class OwnServer implements PostgresServer {
  readonly socketFolder: string
  readonly dataFolder: string
  readonly #binaries: PostgresBinaries
  readonly #folder: string
  readonly #password: string
  readonly #settings: Record<string, string | number | boolean>
  readonly #endWithUs = (): void => void this.#child?.kill('SIGQUIT')
  #port = 0
  #child: ChildProcess | undefined

  constructor(
    binaries: PostgresBinaries,
    folder: string,
    password: string,
    settings: Record<string, string | number | boolean>,
  ) {
    this.#binaries = binaries
    this.#folder = folder
    this.#password = password
    this.#settings = { ...DEFAULT_SETTINGS, ...settings }
    this.socketFolder = path.join(folder, 'socket')
    this.dataFolder = path.join(folder, 'data')
    process.once('exit', this.#endWithUs)
  }

  get url(): string {
    return `postgres://postgres:${this.#password}@127.0.0.1:${this.#port}/postgres`
  }

  get port(): number {
    return this.#port
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async startOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.#port = await findFreePort()
      try {
        return await this.#startOnce()
      } catch (error) {
        // Between our look and the server's bind somebody else may take the port.
        if (attempt === 5 || !this.log().includes('could not bind')) throw error
      }
    }
  }

  async start(): Promise<void> {
    const deadline = Date.now() + START_WITHIN_MS
    for (;;) {
      try {
        return await this.#startOnce()
      } catch (error) {
        // After kill() the old server's processes need a moment to notice and to let go of its memory.
        if (Date.now() > deadline) throw error
        await sleep(100)
      }
    }
  }

  async stop(mode: StopMode = 'fast'): Promise<void> {
    if (mode === 'fast' && (await this.#end('SIGINT', 10_000))) return
    if (await this.#end('SIGQUIT', 5_000)) return
    await this.kill()
  }

  async restart(mode: StopMode = 'fast'): Promise<void> {
    await this.stop(mode)
    await this.start()
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL', START_WITHIN_MS)
  }

  async remove(): Promise<void> {
    await this.stop('fast')
    process.off('exit', this.#endWithUs)
    fs.rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  leaveRunning(): void {
    process.off('exit', this.#endWithUs)
  }

  log(): string {
    const file = path.join(this.#folder, 'server.log')
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''
  }

  async #startOnce(): Promise<void> {
    if (this.#child !== undefined) return
    const log = fs.openSync(path.join(this.#folder, 'server.log'), 'a')
    const child = spawn(this.#binaries.postgres, ['-D', this.dataFolder, ...this.#arguments()], {
      ...this.#binaries.user,
      cwd: this.#folder,
      env: serverEnvironment(),
      stdio: ['ignore', log, log],
    })
    fs.closeSync(log)
    this.#child = child
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
    await once(child, 'spawn')
    child.unref()
    await this.#untilReady(child)
  }

  #arguments(): string[] {
    const settings = {
      listen_addresses: '127.0.0.1',
      port: this.#port,
      unix_socket_directories: this.socketFolder,
      ...this.#settings,
    }
    return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${String(value)}`])
  }

  /** The server writes its state into the eighth line of its lock file, which is what pg_ctl waits for too. */
  async #untilReady(child: ChildProcess): Promise<void> {
    const deadline = Date.now() + START_WITHIN_MS
    const lockFile = path.join(this.dataFolder, 'postmaster.pid')
    while (Date.now() < deadline) {
      if (child.exitCode !== null || child.signalCode !== null) break
      if (postmasterOf(this.dataFolder) === child.pid) {
        const state = fs.readFileSync(lockFile, 'utf8').split('\n')[7]
        if (state?.trim() === 'ready' || state?.trim() === 'standby') return
      }
      await sleep(10)
    }
    await this.#end('SIGKILL', 5_000)
    throw new Error(`PostgreSQL did not start. Its log ends with:\n${this.log().slice(-2_000)}`)
  }

  /** True once the server's process is gone. */
  async #end(signal: NodeJS.Signals, withinMs: number): Promise<boolean> {
    const child = this.#child
    if (child === undefined) return true
    child.kill(signal)
    const deadline = Date.now() + withinMs
    while (this.#child === child && Date.now() < deadline) await sleep(10)
    return this.#child !== child
  }
}

/**
 * A port below the range from which systems take the local ends of outgoing connections. Inside that range a client
 * that keeps trying while the server restarts can connect to itself, and the server never gets its port back.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    const probe = net.createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => probe.close(resolve))
    return port
  }
}
