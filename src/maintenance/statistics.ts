import { foldMinutes, foldTallies, forgetStatistics } from '../store/statistics.ts'
import type { Store } from '../store/store.ts'

/** So many rows are moved by one statement. */
const SLICE = 2_000

/**
 * Folds what the processes have written of minutes that are over. Every process may do it at any time, and none has to:
 * each slice is one statement, and what one of them left when it died is there for the next.
 */
export async function foldStatistics(store: Store, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await foldTallies(store, SLICE)) > 0);
}

/** Makes hours of what is older than a day, and forgets what is older than eight. */
export async function retainStatistics(store: Store, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await foldMinutes(store, SLICE)) > 0);
  await forgetStatistics(store)
}
