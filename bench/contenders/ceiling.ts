import { createRequire } from 'node:module'
import type { Contender } from '../contender.ts'
import { CeilingQueue } from './ceiling-queue.ts'

const { version } = createRequire(import.meta.url)('pg/package.json') as { version: string }

/**
 * What one Node process can get out of PostgreSQL with bare SQL: two connections, batches of 2,000, and nothing of
 * what makes a queue safe. No leases, no retries, no wake-ups.
 */
export const ceiling: Contender = {
  name: 'ceiling',
  library: 'bare SQL by pg',
  version,
  backend: 'postgres',
  tuning: 'best',
  settings: { connections: 2, batch: 2_000 },
  abilities: new Set(['bulk', 'transactions', 'keep', 'discard', 'processes', 'postgres']),
  only: [
    'enqueue-one-by-one',
    'enqueue-in-transactions-busy',
    'enqueue-in-transactions-idle',
    'bulk-enqueue',
    'drain-kept',
    'drain-not-kept',
    'drain-kept-2-processes',
    'drain-not-kept-2-processes',
  ],
  open: (url, needs) => CeilingQueue.open(url, needs, { notify: false }),
}

/** The same with a NOTIFY in every enqueueing transaction, and a receiver that listens and claims. */
export const ceilingNotify: Contender = {
  ...ceiling,
  name: 'ceiling-notify',
  settings: { ...ceiling.settings, notify: 'in every transaction that enqueues' },
  only: [
    'enqueue-in-transactions-busy',
    'enqueue-in-transactions-idle',
    'latency-same-process',
    'latency-other-process',
  ],
  open: (url, needs) => CeilingQueue.open(url, needs, { notify: true }),
}
