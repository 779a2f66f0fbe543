import type { QueryResult, Session } from '../drivers/driver.ts'

type Hear = (payload: string) => void

/**
 * A session that knows how long no statement has been under way on it.
 *
 * Behind a transaction pooler LISTEN stays on whatever connection of the server it happened to reach. The
 * notifications that this connection gets are passed to whoever has a statement under way on it at that moment,
 * which may be us: seen with PgBouncer. So only what is heard while nothing is under way proves that this session has
 * its connection to itself (docs/adr/0017-only-a-quiet-session-hears.md).
 */
export class QuietSession implements Session {
  readonly listen: ((channel: string, onNotify: Hear) => Promise<void>) | undefined
  readonly #session: Session
  #underWay = 0
  #answeredAt = -Infinity

  constructor(session: Session) {
    this.#session = session
    const { listen } = session
    if (listen !== undefined) {
      this.listen = (channel, onNotify) => this.#watch(listen(channel, onNotify))
    }
  }

  get isDedicated(): boolean {
    return this.#session.isDedicated
  }

  get lost(): AbortSignal {
    return this.#session.lost
  }

  /** Whether no statement has been under way for so long. */
  isQuietFor(ms: number): boolean {
    return this.#underWay === 0 && performance.now() - this.#answeredAt >= ms
  }

  query<Row>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    return this.#watch(this.#session.query<Row>(text, values))
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  async #watch<T>(answer: Promise<T>): Promise<T> {
    this.#underWay += 1
    try {
      return await answer
    } finally {
      this.#underWay -= 1
      this.#answeredAt = performance.now()
    }
  }
}
