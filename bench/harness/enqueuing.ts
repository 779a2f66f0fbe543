import pg from 'pg'
import type { ClientBase } from 'pg'
import type { OpenQueue } from '../contender.ts'
import { nowMs, sleepUntil } from './clock.ts'
import { payload, payloads } from './payload.ts'
import { percentiles } from './percentiles.ts'
import type { Called, Calls, Jobs, Offer, Offered } from './procedures.ts'

/** Offered jobs come due in groups, so often. */
const TICK_MS = 10
/** So many jobs go into one call where a producer must not run far ahead. */
const PRESSED_AT_ONCE = 2_000
const PRIORITIES = 10

/** Enqueues one by one; with priorities, job `n` has priority `n % 10`. */
export async function enqueueAll(
  queue: OpenQueue,
  calls: Calls & { priorities?: boolean },
): Promise<Called> {
  return callers(calls, () => async (n) => {
    const options = calls.priorities === true ? { priority: n % PRIORITIES } : undefined
    await queue.enqueue(payload(n), options)
  })
}

const WARM_UPS = 5

/** Each caller has a connection of its own, and enqueues each job in a transaction of its own. */
export async function enqueueInTransactions(
  queue: OpenQueue,
  url: string,
  calls: Calls,
): Promise<Called> {
  const pool = new pg.Pool({ connectionString: url, max: calls.callers })
  const clients = await Promise.all(
    Array.from({ length: calls.callers }, async () => pool.connect()),
  )
  try {
    await Promise.all(clients.map((tx) => warmUp(queue, tx)))
    return await callers(calls, (caller) => {
      const tx = clients[caller]
      if (tx === undefined) throw new Error(`There is no caller ${caller}`)
      return (n) => enqueueInOne(queue, tx, n)
    })
  } finally {
    for (const client of clients) client.release()
    await pool.end()
  }
}

/** What a connection does only once (parsing what it prepares, loading the server's catalogues) is not what is measured. */
async function warmUp(queue: OpenQueue, tx: ClientBase): Promise<void> {
  for (let n = 0; n < WARM_UPS; n += 1) {
    await tx.query('begin')
    await queue.enqueueIn(tx, payload(n))
    await tx.query('rollback')
  }
}

async function enqueueInOne(queue: OpenQueue, tx: ClientBase, n: number): Promise<void> {
  await tx.query('begin')
  await queue.enqueueIn(tx, payload(n))
  await tx.query('commit')
}

/** Shares the jobs among the callers, in order. An error ends all of them. */
async function callers(
  { from, count, callers: size, limitMs }: Calls,
  makeCaller: (caller: number) => (n: number) => Promise<void>,
): Promise<Called> {
  const waits = new Float64Array(count)
  const start = performance.now()
  let next = 0
  const run = async (call: (n: number) => Promise<void>): Promise<void> => {
    for (;;) {
      const began = performance.now()
      if (next === count || began - start > limitMs) return
      const index = next++
      await call(from + index)
      waits[index] = performance.now() - began
    }
  }
  await Promise.all(Array.from({ length: size }, async (_, caller) => run(makeCaller(caller))))
  const elapsedMs = performance.now() - start
  return { done: next, elapsedMs, waits: percentiles(waits.subarray(0, next)) }
}

/** Enqueues at a given rate. The jobs of a tick are due at its beginning, however late their call is. */
export async function offer(queue: OpenQueue, request: Offer): Promise<Offered> {
  const { from, count, rate } = request
  const dueAt = new Float64Array(count)
  const start = nowMs()
  for (let n = 0; n < count; n += 1) {
    dueAt[n] = start + Math.floor((n / rate) * (1_000 / TICK_MS)) * TICK_MS
  }
  await (request.callers === undefined
    ? offerInBulk(queue, from, dueAt)
    : offerOneByOne(queue, from, dueAt, request.callers))
  return { done: count, dueAt }
}

async function offerInBulk(queue: OpenQueue, from: number, dueAt: Float64Array): Promise<void> {
  let sent = 0
  while (sent < dueAt.length) {
    await sleepUntil(dueAt[sent] ?? 0)
    const now = nowMs()
    let due = sent
    while (due < dueAt.length && (dueAt[due] ?? 0) <= now) due += 1
    if (due > sent) await queue.enqueueMany(payloads(from + sent, due - sent))
    sent = due
  }
}

async function offerOneByOne(
  queue: OpenQueue,
  from: number,
  dueAt: Float64Array,
  size: number,
): Promise<void> {
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < dueAt.length) {
      const index = next++
      const at = dueAt[index] ?? 0
      if (at > nowMs()) await sleepUntil(at)
      await queue.enqueue(payload(from + index))
    }
  }
  await Promise.all(Array.from({ length: size }, caller))
}

/** A producer that goes as fast as it can, but not far ahead of the workers. */
export class Press {
  #ran = 0
  #wake: (() => void) | undefined

  ranUpTo(done: number): void {
    this.#ran = done
    this.#wake?.()
  }

  async run(
    queue: OpenQueue,
    { from, count, ahead, limitMs }: Jobs & { ahead: number; limitMs: number },
  ): Promise<{ done: number }> {
    const end = performance.now() + limitMs
    let sent = 0
    while (sent < count && performance.now() < end) {
      const room = Math.min(this.#ran + ahead - sent, count - sent, PRESSED_AT_ONCE)
      // Half-empty calls would make it pay for being held back.
      if (room < Math.min(PRESSED_AT_ONCE, count - sent)) await this.#untilTold(end)
      else {
        await queue.enqueueMany(payloads(from + sent, room))
        sent += room
      }
    }
    return { done: sent }
  }

  async #untilTold(end: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, end - performance.now()))
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
