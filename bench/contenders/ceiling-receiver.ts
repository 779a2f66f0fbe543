import type pg from 'pg'
import type { Handler, Payload } from '../contender.ts'
import * as sql from './ceiling-sql.ts'

/** Without a notification an idle receiver looks again after so long. */
const POLL_MS = 20

interface ClaimedRow {
  readonly id: string
  readonly args: Payload
  /** The same in each row of a claim. */
  readonly claimedUpTo: string
}

export interface ReceiverSettings {
  readonly batch: number
  readonly concurrency: number
  readonly keep: boolean
}

/** Claims on one connection and settles on the other, so that the next claim is under way while a batch is settled. */
export class CeilingReceiver {
  readonly #claims: pg.Client
  readonly #settles: pg.Client
  readonly #handler: Handler
  readonly #settings: ReceiverSettings
  #floor = sql.FRONT
  #isStopping = false
  #isNotified = false
  #wake: (() => void) | undefined

  constructor(claims: pg.Client, settles: pg.Client, handler: Handler, settings: ReceiverSettings) {
    this.#claims = claims
    this.#settles = settles
    this.#handler = handler
    this.#settings = settings
    claims.on('notification', () => this.#ring())
  }

  async run(): Promise<void> {
    let settling: Promise<unknown> = Promise.resolve()
    while (!this.#isStopping) {
      this.#isNotified = false
      const jobs = await this.#claim()
      if (jobs.length === 0) {
        await this.#untilRung()
        continue
      }
      const ran = await this.#runAll(jobs)
      await settling
      settling = this.#settle(ran)
    }
    await settling
  }

  stop(): void {
    this.#isStopping = true
    this.#ring()
  }

  async #claim(): Promise<ClaimedRow[]> {
    const { batch } = this.#settings
    const values = [batch, this.#floor]
    const { rows } = await this.#claims.query<ClaimedRow>({
      name: 'claim',
      text: sql.CLAIM,
      values,
    })
    // Where little waits, it looks for what was committed late.
    this.#floor = (rows.length === batch ? rows[0]?.claimedUpTo : undefined) ?? sql.FRONT
    return rows
  }

  /** Answers the ids of those that ran: all of them, unless it is stopped. */
  async #runAll(jobs: readonly ClaimedRow[]): Promise<string[]> {
    const ran: string[] = []
    let next = 0
    const worker = async (): Promise<void> => {
      for (let job = jobs[next++]; job !== undefined && !this.#isStopping; job = jobs[next++]) {
        // Awaiting what is no promise would cost each job a turn.
        const running = this.#handler(job.args)
        if (running !== undefined) await running
        ran.push(job.id)
      }
    }
    const size = Math.min(this.#settings.concurrency, jobs.length)
    await Promise.all(Array.from({ length: size }, worker))
    return ran
  }

  async #settle(ids: readonly string[]): Promise<void> {
    const { keep } = this.#settings
    const text = keep ? sql.KEEP : sql.DELETE
    await this.#settles.query({ name: keep ? 'keep' : 'delete', text, values: [ids] })
  }

  #ring(): void {
    this.#isNotified = true
    this.#wake?.()
  }

  async #untilRung(): Promise<void> {
    if (this.#isNotified || this.#isStopping) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
