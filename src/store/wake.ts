import { createHash } from 'node:crypto'

/**
 * How an enqueue wakes sleeping receivers without slowing everybody who does not sleep.
 *
 * PostgreSQL takes one global lock for every commit that carries a notification, so a NOTIFY in
 * each enqueue costs two thirds of the commits per second. So receivers say that they sleep by
 * holding a shared advisory lock (lockClass, queue id) on their listening connection, and an
 * enqueue tries the exclusive lock: having got it, nobody sleeps and it unlocks at once; not
 * having got it, it notifies. Nothing is stored, and a crash leaves nothing behind.
 */
export interface WakeAddress {
  /** First key of the advisory locks; the second is the queue's id. */
  readonly lockClass: number
  /** Channel of the notifications; the payload is the queue's id. */
  readonly channel: string
}

/** The address for a schema. Hashed, because a channel's name has 63 bytes at most. */
export function wakeAddress(schema: string): WakeAddress {
  const digest = createHash('sha256').update(`millrace:${schema}`).digest()
  return {
    lockClass: digest.readInt32BE(0),
    channel: `millrace_${digest.toString('hex', 4, 16)}`,
  }
}

/**
 * How far a statement goes to wake: it asks whether anybody sleeps and tells them, tells them unasked, or tells nobody
 * (a receiver of this process is about to take the jobs).
 */
export type WakeMode = 'ask' | 'always' | 'never'

/**
 * The expression that wakes the sleepers of queue `$1`, for statements that make jobs due. Such a
 * statement's `$2`, `$3` and `$4` are what `wakeValues` gives. It is one expression of one row:
 * no interrupt can leave it between the lock and the unlock.
 */
export const WAKE = `(
  select case
    when $4::text = 'never' then false
    when $4::text = 'ask' and pg_try_advisory_lock($2::int4, $1::int4)
      then pg_advisory_unlock($2::int4, $1::int4)
    else pg_notify($3::text, $1::int4::text)::text is not null
  end
)`

/** Types of the parameters that every statement with `WAKE` begins with. */
export const WAKE_PARAMETERS = ['int4', 'int4', 'text', 'text'] as const

/**
 * The values of `$1` to `$4` of a statement with `WAKE`. On a database with one session every lock
 * is our own and would always be got, so there it tells unasked.
 */
export function wakeValues(
  store: { wake: WakeAddress; driver: { isSingleSession: boolean } },
  queueId: number,
  wanted: WakeMode = 'ask',
): [number, number, string, WakeMode] {
  const mode = wanted === 'ask' && store.driver.isSingleSession ? 'always' : wanted
  return [queueId, store.wake.lockClass, store.wake.channel, mode]
}
