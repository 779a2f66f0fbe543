import { MillraceError } from '../core/errors.ts'

/**
 * What an error of a database client says about the connection and about the statement.
 *
 * Two questions, which are not the same: may the same succeed later over another connection
 * (`isConnectionError`), and can the statement have been carried out although an error came
 * (`outcomeIsUnknown`)? pg throws plain errors with nothing but a message for much of this, so the
 * messages are listed here, each with the file of pg 8.23 that it comes from. postgres.js has codes.
 */

/** SQLSTATEs after which the server has ended the connection, beside all of class 08. */
const SESSION_ENDED = new Set([
  '57P01', // admin_shutdown, pg_terminate_backend
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now: starting, stopping, recovering
  '57P05', // idle_session_timeout
  '25P03', // idle_in_transaction_session_timeout
  '25P04', // transaction_timeout
  '53300', // too_many_connections
])

/** Codes of Node for a connection that was not made or did not last. */
const SOCKET_CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTCONN',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_SOCKET_CLOSED',
])

/** Codes of postgres.js (src/errors.js connection) for a connection that broke while a statement may have been under way. */
const POSTGRES_JS_BROKEN = new Set(['CONNECTION_CLOSED', 'CONNECTION_DESTROYED'])

/** Codes of postgres.js for what was never sent: after `sql.end()`, and for a server that did not accept in time. */
const POSTGRES_JS_UNSENT = new Set(['CONNECTION_ENDED', 'CONNECT_TIMEOUT'])

/** Codes that only an attempt to connect gives, so that nothing can have been sent. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  '57P03',
  '53300',
])

/** Messages of pg and pg-pool that come before a statement is sent. */
const MESSAGES_BEFORE_SENDING = [
  'Cannot use a pool after calling end on the pool', // pg-pool/index.js connect
  'timeout exceeded when trying to connect', // pg-pool/index.js connect
  'Connection terminated due to connection timeout', // pg-pool/index.js newClient
  'timeout expired', // pg/lib/client.js _connect
  'Client has encountered a connection error and is not queryable', // pg/lib/client.js query
  'Client was closed and is not queryable', // pg/lib/client.js query
  'PGlite is closed', // pglite _checkReady
  'PGlite is closing', // pglite _checkReady
]

/** Messages of pg that come while a statement may be under way. */
const MESSAGES_AFTER_SENDING = [
  'Connection terminated', // pg/lib/client.js end
  'Connection terminated unexpectedly', // pg/lib/client.js end
  'Query read timeout', // pg/lib/client.js query_timeout
]

/** A backend message that nobody waits for: the protocol is out of step (pg/lib/client.js). */
const OUT_OF_STEP = /^Received unexpected \w+ message from backend\.$/

/** Errors of which this room knows that the statement or transaction they belong to had no effect. */
const withoutEffect = new WeakSet<object>()

/** Remembers that what failed with `error` had no effect: it was never sent, or never committed. Returns the error. */
export function markWithoutEffect<E>(error: E): E {
  if (typeof error === 'object' && error !== null) withoutEffect.add(error)
  return error
}

/** Throws the reason of a signal that has aborted, as one of nothing having been sent. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return
  markWithoutEffect(signal.reason)
  signal.throwIfAborted()
}

/** True when `error` says that there is no connection, or that it broke: the same may succeed later. */
export function isConnectionError(error: unknown): boolean {
  if (error instanceof MillraceError) return error.code === 'OUTCOME_UNKNOWN'
  const { code, message, severity, syscall } = parts(error)
  if (isSqlState(code)) return isConnectionState(code) || isFatal(severity, code)
  if (code !== undefined && (SOCKET_CODES.has(code) || isPostgresJsCode(code))) return true
  if (syscall === 'connect') return true // ENOENT or EACCES of a Unix socket
  return isConnectionMessage(message) || isCrashedRuntime(error)
}

/** True when what was sent may or may not have been carried out. */
export function outcomeIsUnknown(error: unknown): boolean {
  if (typeof error === 'object' && error !== null && withoutEffect.has(error)) return false
  if (!isConnectionError(error)) return false
  const { code, message, syscall } = parts(error)
  if (code !== undefined && (NEVER_CONNECTED.has(code) || POSTGRES_JS_UNSENT.has(code)))
    return false
  if (syscall === 'connect') return false
  return !MESSAGES_BEFORE_SENDING.includes(message)
}

/** True when the server itself refused the statement and the connection is still good. */
export function isStatementError(error: unknown): error is Error {
  return error instanceof Error && isSqlState(parts(error).code) && !isConnectionError(error)
}

function isConnectionState(code: string): boolean {
  return code.startsWith('08') || SESSION_ENDED.has(code)
}

function isPostgresJsCode(code: string): boolean {
  return POSTGRES_JS_BROKEN.has(code) || POSTGRES_JS_UNSENT.has(code)
}

/**
 * A FATAL error has ended the connection, whatever its code.
 * Wrong passwords and missing databases (28…, 3D000) are FATAL too, but no later attempt mends them.
 */
function isFatal(severity: string | undefined, code: string): boolean {
  if (code.startsWith('28') || code === '3D000') return false
  return severity === 'FATAL' || severity === 'PANIC'
}

function isConnectionMessage(message: string): boolean {
  return (
    MESSAGES_BEFORE_SENDING.includes(message) ||
    MESSAGES_AFTER_SENDING.includes(message) ||
    OUT_OF_STEP.test(message)
  )
}

/** PGlite is WebAssembly: when that aborts, the database in this process is gone. */
function isCrashedRuntime(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'RuntimeError'
}

/** Five characters, and not one of Node's codes of that length (EPIPE, EPERM). */
function isSqlState(code: string | undefined): code is string {
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code)
}

interface ErrorParts {
  code: string | undefined
  message: string
  severity: string | undefined
  syscall: string | undefined
}

function parts(error: unknown): ErrorParts {
  if (typeof error !== 'object' || error === null) {
    return { code: undefined, message: '', severity: undefined, syscall: undefined }
  }
  return {
    code: text(Reflect.get(error, 'code')),
    message: text(Reflect.get(error, 'message')) ?? '',
    severity: text(Reflect.get(error, 'severity')),
    syscall: text(Reflect.get(error, 'syscall')),
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
