import type { DBTX } from '../drivers/driver.ts'
import { readClock } from '../store/poll.ts'
import type { Store } from '../store/store.ts'

/** How often the clock is read: the quickest answer tells most. */
const READINGS = 5

/** A question to the database for its time. */
export interface Reading {
  readonly roundTripMs: number
  /** By how much the database's clock is ahead of this machine's, give or take half the round trip. */
  readonly aheadMs: number
}

/** Compares the clocks, taking the answer to lie in the middle of the quickest round trip, as NTP does. */
export async function readClocks(store: Store, tx: DBTX): Promise<Reading> {
  let quickest: Reading = { roundTripMs: Infinity, aheadMs: 0 }
  for (let reading = 0; reading < READINGS; reading++) {
    const [sentAt, askedAtMs] = [performance.now(), Date.now()]
    const micros = await readClock(store, tx)
    const roundTripMs = performance.now() - sentAt
    const aheadMs = Number(micros) / 1_000 - (askedAtMs + roundTripMs / 2)
    if (roundTripMs < quickest.roundTripMs) quickest = { roundTripMs, aheadMs }
  }
  return quickest
}
