import { Pool, type PoolClient } from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DB, DBTX, QueryResult } from '../../../src/drivers/driver.ts'

/** Which statements a fault is for. */
export type Aim = 'claim' | 'settle' | 'any'

/**
 * The database as one process sees it, over connections of its own, with faults that a test asks
 * for. What dies stays dead: each of its statements, also those under way, waits for ever, which is
 * what a killed process looks like to the others.
 */
export class FaultyDatabase implements DB {
  readonly #pool: Pool
  readonly #clients = new Set<PoolClient>()
  #isDead = false
  #resumed: Promise<unknown> = Promise.resolve()
  #awayUntil = 0
  #closed: Promise<void> | undefined
  #loses = { aim: 'any' as Aim, count: 0 }

  /** `name` is the application name of its connections, by which the audit tells who did what. */
  constructor(databaseUrl: string, name: string) {
    this.#pool = new Pool({
      connectionString: databaseUrl,
      application_name: name,
      max: 6,
      // No test here is about what survives a crash of the server.
      options: '-c synchronous_commit=off',
    })
    this.#pool.on('error', () => undefined)
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** Resolves when the process is not stopped any more; never for a dead one. */
  async whileStopped(): Promise<void> {
    await this.#resumed
    if (this.#isDead) await new Promise<never>(() => {})
  }

  /** As by SIGKILL: open transactions roll back, and nothing is ever heard again. */
  die(): void {
    this.#isDead = true
    for (const client of this.#clients) client.release(true)
    this.#clients.clear()
  }

  /** As by SIGSTOP and, later, SIGCONT. */
  pause(ms: number): void {
    this.#resumed = Promise.all([this.#resumed, sleep(ms)])
  }

  /** For so long nothing can be sent. */
  goAway(ms: number): void {
    this.#awayUntil = Math.max(this.#awayUntil, performance.now() + ms)
  }

  /** The next so many of these statements are carried out, and their answers are lost. */
  loseAnswers(aim: Aim, count: number): void {
    this.#loses = { aim, count }
  }

  async query(text: string, values: unknown[] = []): Promise<QueryResult> {
    return this.#through(text, () => this.#pool.query<Record<string, unknown>>(text, values))
  }

  async transaction<T>(work: (tx: DBTX) => Promise<T>): Promise<T> {
    const client = await this.#through('begin', () => this.#pool.connect())
    this.#clients.add(client)
    let isBroken = true
    try {
      await this.#through('begin', () => client.query('begin'))
      const texts: string[] = []
      const answer = await work({
        query: (text, values = []) => {
          texts.push(text)
          return this.#through(text, () => client.query<Record<string, unknown>>(text, values))
        },
      })
      await this.#through(`commit ${texts.join(' ')}`, () => client.query('commit'))
      isBroken = false
      return answer
    } finally {
      // A broken one is closed, which rolls back.
      if (this.#clients.delete(client)) client.release(isBroken)
    }
  }

  /** Nothing of it is left; statements that wait for ever do so without a connection. */
  close(): Promise<void> {
    this.die()
    // Whoever is killed just before the scenario ends is buried by its killer and by the end.
    this.#closed ??= this.#pool.end()
    return this.#closed
  }

  async #through<T>(text: string, send: () => Promise<T>): Promise<T> {
    await this.whileStopped()
    if (performance.now() < this.#awayUntil) throw new ConnectionFailed('ECONNREFUSED')
    const isLost = this.#takesLoss(text)
    const answer = await send().catch((error: unknown) => this.#unlessDead(error))
    await this.whileStopped()
    if (isLost) throw new ConnectionFailed('ECONNRESET')
    return answer
  }

  async #unlessDead(error: unknown): Promise<never> {
    await this.whileStopped()
    throw error
  }

  #takesLoss(text: string): boolean {
    const { aim, count } = this.#loses
    if (count === 0 || (aim !== 'any' && !WORDS[aim].test(text))) return false
    this.#loses = { aim, count: count - 1 }
    return true
  }
}

/** By which words of its text a statement is known. */
const WORDS = {
  claim: /\bclaimed as \(/,
  settle: /\b(settled|departed) as \(/,
} as const

/** As Node says it. */
class ConnectionFailed extends Error {
  readonly code: string

  constructor(code: 'ECONNREFUSED' | 'ECONNRESET') {
    super(`The scenario says ${code}.`)
    this.code = code
  }
}
