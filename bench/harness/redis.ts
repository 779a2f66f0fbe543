import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from '../../test/support/postgres.ts'
import { serverCpuSeconds } from './process-cpu.ts'

/**
 * Redis' usual durability: a log that is synced once a second. PostgreSQL syncs before each answer, so this is in
 * Redis' favour. Everything else is Redis' default.
 */
export const REDIS_SETTINGS = { appendonly: 'yes', appendfsync: 'everysec', save: '' }

const START_WITHIN_MS = 5_000

/** The version of `redis-server`, when it is on the PATH. */
export function redisVersion(): string | undefined {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' })
  return /v=(\S+)/.exec(stdout ?? '')?.[1]
}

/** A Redis of its own for one run: empty, on loopback. */
export class BenchRedis {
  readonly url: string
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #endWithUs = (): void => void this.#child.kill('SIGKILL')

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child
    this.#folder = folder
    this.url = `redis://127.0.0.1:${port}`
    process.once('exit', this.#endWithUs)
  }

  static async start(): Promise<BenchRedis> {
    const folder = mkdtempSync(path.join(tmpdir(), 'millrace-bench-redis-'))
    const port = await findFreePort()
    const settings = { bind: '127.0.0.1', port, dir: folder, ...REDIS_SETTINGS }
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
    const child = spawn('redis-server', args, { stdio: 'ignore' })
    const redis = new BenchRedis(child, folder, port)
    await once(child, 'spawn')
    await untilReady(port)
    return redis
  }

  get cpuSeconds(): number | undefined {
    const { pid } = this.#child
    return pid === undefined ? undefined : serverCpuSeconds(pid)
  }

  async remove(): Promise<void> {
    process.off('exit', this.#endWithUs)
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit')
      this.#child.kill('SIGKILL') // its data is thrown away
      await ended
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

async function untilReady(port: number): Promise<void> {
  const deadline = Date.now() + START_WITHIN_MS
  while (Date.now() < deadline) {
    const isReady = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.end()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (isReady) return
    await sleep(20)
  }
  throw new Error(`redis-server did not start within ${START_WITHIN_MS} ms`)
}
