import { AsyncLocalStorage } from 'node:async_hooks'
import { MillraceError } from '../core/errors.ts'
import type { PGliteInstance, PGliteTransaction } from './pglite-shapes.ts'

/**
 * Who is inside a transaction of a PGlite?
 *
 * PGlite runs one transaction at a time and keeps every other statement waiting until it ends. A statement that the
 * transaction's own callback sends past it (`queue.enqueue(…)` without `tx`) therefore waits for itself, for ever.
 * From outside this cannot be seen, as nothing says who sent a statement. So `transaction` of each PGlite that
 * is passed to us is wrapped, once, to mark what runs inside its callback; `refuseInside` looks for the mark.
 */

/** One running callback of `transaction`, with the one around it (of another PGlite). */
interface Mark {
  readonly pglite: object
  readonly outer: Mark | undefined
  /** False after the callback ended, although what it left running still carries the mark. */
  isOpen: boolean
}

const marks = new AsyncLocalStorage<Mark>()
const marked = new WeakSet<object>()

/** Makes `pglite.transaction` mark what runs inside it. Does so once; everything else about it stays as it is. */
export function markTransactions(pglite: PGliteInstance): void {
  if (marked.has(pglite)) return
  marked.add(pglite)
  const original = pglite.transaction.bind(pglite)
  const transaction = <T>(work: (tx: PGliteTransaction) => Promise<T>): Promise<T> =>
    original((tx) => runMarked(pglite, () => work(tx)))
  // On a frozen object this does nothing, and the wait is as long as PGlite makes it.
  Reflect.defineProperty(pglite, 'transaction', {
    value: transaction,
    writable: true,
    configurable: true,
  })
}

/** Throws where a statement on `pglite` would wait for the very transaction that it was sent from. */
export function refuseInside(pglite: object): void {
  for (let mark = marks.getStore(); mark !== undefined; mark = mark.outer) {
    if (mark.pglite !== pglite || !mark.isOpen) continue
    throw new MillraceError(
      'INVALID_OPTION',
      { option: 'tx', value: undefined },
      {
        message:
          'Inside a PGlite transaction a statement that is not part of it would wait for ever. Pass the transaction as { tx }, or use querier.withTx(tx).',
      },
    )
  }
}

async function runMarked<T>(pglite: object, work: () => Promise<T>): Promise<T> {
  const mark: Mark = { pglite, outer: marks.getStore(), isOpen: true }
  try {
    return await marks.run(mark, work)
  } finally {
    mark.isOpen = false
  }
}
