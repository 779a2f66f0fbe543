import pg from 'pg'
import type { ClientBase } from 'pg'
import type { Handler, OpenQueue, Payload, QueueNeeds, Receiving } from '../contender.ts'
import { CeilingReceiver } from './ceiling-receiver.ts'
import * as sql from './ceiling-sql.ts'

const BATCH = 2_000

/** A queue of nothing but SQL, on two connections. */
export class CeilingQueue implements OpenQueue {
  readonly #connections: readonly [pg.Client, pg.Client]
  readonly #needs: QueueNeeds
  readonly #notify: boolean

  private constructor(
    connections: readonly [pg.Client, pg.Client],
    needs: QueueNeeds,
    notify: boolean,
  ) {
    this.#connections = connections
    this.#needs = needs
    this.#notify = notify
  }

  static async open(
    url: string,
    needs: QueueNeeds,
    { notify }: { notify: boolean },
  ): Promise<CeilingQueue> {
    const connect = async (): Promise<pg.Client> => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      return client
    }
    return new CeilingQueue(await Promise.all([connect(), connect()]), needs, notify)
  }

  async prepare(): Promise<void> {
    await this.#connections[0].query(sql.TABLES)
  }

  async enqueue(payload: Payload): Promise<void> {
    await this.enqueueIn(this.#connections[0], payload)
  }

  async enqueueIn(tx: ClientBase, payload: Payload): Promise<void> {
    const text = this.#notify ? sql.INSERT_AND_NOTIFY : sql.INSERT
    await tx.query({ name: this.#notify ? 'notify' : 'insert', text, values: [payload] })
  }

  /** The batches go over both connections, one under way on each. */
  async enqueueMany(payloads: readonly Payload[]): Promise<void> {
    let next = 0
    const send = async (client: pg.Client): Promise<void> => {
      while (next < payloads.length) {
        const batch = payloads.slice(next, next + BATCH)
        next += BATCH
        await client.query({ name: 'many', text: sql.INSERT_MANY, values: [JSON.stringify(batch)] })
      }
    }
    await Promise.all(this.#connections.map(send))
    if (this.#notify) await this.#connections[0].query(sql.NOTIFY)
  }

  async receive(handler: Handler): Promise<Receiving> {
    const [claims, settles] = this.#connections
    const { concurrency = 1, finished } = this.#needs
    const receiver = new CeilingReceiver(claims, settles, handler, {
      batch: BATCH,
      concurrency,
      keep: finished !== 'discard',
    })
    await claims.query(sql.IN_INDEX_ORDER)
    if (this.#notify) await claims.query(sql.LISTEN)
    const ended = receiver.run()
    return {
      stop: async () => {
        receiver.stop()
        await ended
      },
    }
  }

  async fillHistory(count: number): Promise<void> {
    await this.#connections[0].query(sql.FILL_HISTORY, [count])
  }

  async unfinished(): Promise<number> {
    return this.#count(sql.COUNT_UNFINISHED)
  }

  async finished(): Promise<number> {
    return this.#count(sql.COUNT_FINISHED)
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((client) => client.end()))
  }

  async #count(text: string): Promise<number> {
    const { rows } = await this.#connections[0].query<{ count: number }>(text)
    return rows[0]?.count ?? 0
  }
}
