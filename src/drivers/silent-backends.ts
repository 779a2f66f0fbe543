import { answerWithin } from './deadline.ts'
import { destroySocket, ignore, type PgClient, type PgPool } from './pg-shapes.ts'

/** How long one attempt may take: nobody waits for it, and it must not hold an ending process up. */
const ATTEMPT_MS = 4_000

/** After so long the server's own keepalive has a chance, and a process number may be somebody else's. */
const FORGET_AFTER_MS = 10 * 60_000

/** More than this at once only come from a network that is down for everybody. */
const MOST = 100

/**
 * Ended rather than cancelled, because a cancel frees nothing when the statement is over and its transaction open.
 * A process number may have been given to somebody else by now, so the backend must be showing a statement
 * that we sent, begun when we sent it (give or take what the network took).
 */
const END_SILENT_BACKEND = `
  select pg_terminate_backend(pid)
  from pg_catalog.pg_stat_activity
  where pid = $1::int4
    and usename = session_user
    and query <> ''
    and exists (
      select
      from unnest($2::text[], $3::float8[]) as sent (statement, ms_ago)
      where starts_with(sent.statement, query)
        and abs(extract(epoch from clock_timestamp() - query_start) * 1000 - sent.ms_ago) < 5000
    )
`

/** A statement that went over a connection, and when (monotonic). */
export interface SentStatement {
  text: string
  sentAt: number
}

interface SilentBackend {
  processId: number
  /** The last statements that the server may be showing: the one without an answer, and the one before it. */
  statements: readonly SentStatement[]
  since: number
}

/**
 * Ends the server's side of connections that went silent, over a connection of its own. Best effort.
 *
 * The server may not notice for hours that nobody reads its answers, and meanwhile holds the locks of a
 * transaction that was under way. While the database is away this is tried again every so often.
 */
export class SilentBackends {
  readonly #pool: PgPool
  readonly #retryMs: number
  #backends: SilentBackend[] = []
  #isEnding = false

  constructor(pool: PgPool, retryMs: number) {
    this.#pool = pool
    this.#retryMs = retryMs
  }

  /** Has the backend of `client` ended. Returns at once, never throws. */
  add(client: PgClient, statements: readonly SentStatement[]): void {
    // Without these (pg-native, other makers' pools) the server has to notice by itself.
    if (typeof client.processID !== 'number' || this.#pool.Client === undefined) return
    if (this.#backends.length >= MOST) this.#backends.shift()
    this.#backends.push({ processId: client.processID, statements, since: performance.now() })
    this.#start()
  }

  #start(): void {
    const { Client } = this.#pool
    if (this.#isEnding || this.#backends.length === 0 || Client === undefined) return
    this.#isEnding = true
    void this.#endAll(new Client(this.#pool.options)).finally(() => {
      this.#isEnding = false
      setTimeout(() => this.#start(), this.#retryMs).unref()
    })
  }

  async #endAll(helper: PgClient): Promise<void> {
    helper.on('error', ignore)
    await answerWithin(this.#endOver(helper), { ms: ATTEMPT_MS }).catch(ignore)
    destroySocket(helper)
    const oldest = performance.now() - FORGET_AFTER_MS
    this.#backends = this.#backends.filter((backend) => backend.since > oldest)
  }

  async #endOver(helper: PgClient): Promise<void> {
    await helper.connect?.()
    for (let next = this.#backends[0]; next !== undefined; next = this.#backends[0]) {
      const now = performance.now()
      const texts = next.statements.map(({ text }) => text)
      const ages = next.statements.map(({ sentAt }) => now - sentAt)
      await helper.query({ text: END_SILENT_BACKEND, values: [next.processId, texts, ages] })
      this.#backends = this.#backends.filter((backend) => backend !== next)
    }
    await helper.end?.()
  }
}
