import * as net from 'node:net'
import { MillraceError } from '../core/errors.ts'
import { isConnectionError, markWithoutEffect, refuseAborted } from './connection-errors.ts'
import { answerWithin } from './deadline.ts'
import type { QueryResult, RunOptions, Session } from './driver.ts'
import { quoteIdentifier } from '../core/identifiers.ts'
import type { PostgresOptions, PostgresSql } from './postgres-js-shapes.ts'
import { queryOf, resultOf } from './postgres-js-statement.ts'

/** How long a closing connection may take to say goodbye before its socket is cut. */
const GOODBYE_S = 1

/** What this room gives to postgres.js for a connection of its own, over the options of the user's `sql`. */
interface OwnOptions {
  onclose: () => void
  onnotify: (channel: string, payload: string) => void
  socket?: unknown
}

/**
 * Opens a connection beside the user's pool, with the same options: it hears notifications, which a connection of the
 * pool does not, outlives no session, and a pool that is full of the user's own work costs no lease.
 */
export async function openPostgresSession(
  options: PostgresOptions,
  { signal }: Pick<RunOptions, 'signal'> = {},
): Promise<Session> {
  const postgres = await loadPostgres()
  refuseAborted(signal)
  const session = new PostgresJsSession(postgres, options)
  try {
    await answerWithin(
      session.query('select 1 as "one"'),
      { ms: Infinity, signal },
      () => signal?.reason as Error,
    )
    return session
  } catch (error) {
    void session.close()
    throw markWithoutEffect(error)
  }
}

class PostgresJsSession implements Session {
  readonly isDedicated = true
  readonly #sql: PostgresSql
  readonly #socket: OwnSocket
  readonly #lost = new AbortController()
  readonly #listeners = new Map<string, (payload: string) => void>()

  constructor(postgres: PostgresFactory, options: PostgresOptions) {
    this.#socket = new OwnSocket(options)
    this.#sql = postgres(
      ownOptions(options, {
        onclose: () => this.#lost.abort(new Error('The connection was closed.')),
        onnotify: (channel, payload) => this.#listeners.get(channel)?.(payload),
        ...(this.#socket.isPossible && { socket: this.#socket.open }),
      }),
    )
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  async query<Row>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    if (this.lost.aborted) throw unsendable(this.lost.reason)
    try {
      return resultOf<Row>(await queryOf(this.#sql, text, values), text)
    } catch (error) {
      if (isConnectionError(error)) this.#lost.abort(error)
      throw error
    }
  }

  readonly listen = async (channel: string, onNotify: (payload: string) => void): Promise<void> => {
    this.#listeners.set(channel, onNotify)
    await this.query(`listen ${quoteIdentifier(channel)}`)
  }

  async close(): Promise<void> {
    this.#lost.abort(new Error('The session was closed by its owner.'))
    await this.#sql.end({ timeout: GOODBYE_S })
    this.#socket.destroy()
  }
}

/**
 * The socket under the connection, made here so that it can be cut: postgres.js only says goodbye, and over a dead
 * network the socket would then keep the process alive until TCP gives up. Where the user makes sockets of
 * their own, or names several hosts, postgres.js does it as ever.
 */
class OwnSocket {
  readonly isPossible: boolean
  readonly #options: PostgresOptions
  #socket: net.Socket | undefined

  constructor(options: PostgresOptions) {
    this.#options = options
    this.isPossible = typeof options.socket !== 'function' && options.host.length === 1
  }

  readonly open = (): Promise<net.Socket> => {
    const { path, connect_timeout: seconds } = this.#options
    const host = this.#options.host[0] ?? 'localhost'
    const socket =
      typeof path === 'string' && path !== ''
        ? net.connect({ path })
        : net.connect({ host, port: this.#options.port[0] ?? 5432 })
    this.#socket = socket
    Object.assign(socket, { host }) // by this name postgres.js asks for TLS
    return new Promise((resolve, reject) => {
      socket.once('connect', () => (socket.setTimeout(0), resolve(socket)))
      socket.once('error', reject)
      socket.once('close', () => reject(connectError('The socket was closed.')))
      if (typeof seconds === 'number' && seconds > 0) {
        socket.setTimeout(seconds * 1_000, () =>
          socket.destroy(connectError(`No connection within ${seconds} s.`)),
        )
      }
    })
  }

  destroy(): void {
    this.#socket?.destroy()
  }
}

/** With `shared`, as the options of a `sql` have it, postgres.js takes options as they are. */
function ownOptions(options: PostgresOptions, own: OwnOptions): object {
  const isReplica = options.target_session_attrs === 'prefer-standby'
  return {
    ...options,
    ...own,
    ...(isReplica && { target_session_attrs: undefined }), // a standby can neither listen nor write
    max: 1,
    fetch_types: false, // it would read answers of a connection that may be closed by then
    idle_timeout: null,
    max_lifetime: null,
    no_subscribe: true,
    onnotice: () => {},
    onparameter: undefined,
    parameters: {},
    shared: { retries: 0, typeArrayMap: {} },
    transform: { column: {}, value: {}, row: {} },
  }
}

type PostgresFactory = (options: object) => PostgresSql

/** Loaded at the first use, as most who install Millrace have no use for it. */
async function loadPostgres(): Promise<PostgresFactory> {
  try {
    const { default: postgres } = await import('postgres')
    return postgres as unknown as PostgresFactory
  } catch (cause) {
    throw new MillraceError(
      'INVALID_DATABASE',
      { database: 'postgres.js' },
      {
        message:
          'The package "postgres" cannot be loaded from where Millrace is installed; receiving needs it. Install it beside millrace, or leave it out of the bundle.',
        cause,
      },
    )
  }
}

function unsendable(cause: unknown): Error {
  return markWithoutEffect(
    Object.assign(new Error('The session is closed.', { cause }), { code: 'CONNECTION_ENDED' }),
  )
}

function connectError(message: string): Error {
  return Object.assign(new Error(message), { code: 'ETIMEDOUT', syscall: 'connect' })
}
