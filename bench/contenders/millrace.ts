import pg from 'pg'
import { MANY, MillraceQueue } from './millrace-queue.ts'
import { version } from '../../dist/version.js'
import type { Contender } from '../contender.ts'

/** Millrace as it is installed: nothing is set but the concurrency that a scenario asks for. */
export const millrace: Contender = {
  name: 'millrace',
  library: 'millrace',
  version,
  backend: 'postgres',
  tuning: 'defaults',
  settings: { enqueueMany: MANY },
  abilities: new Set([
    'bulk',
    'transactions',
    'keep',
    'discard',
    'fifo',
    'retries',
    'priorities',
    'processes',
    'postgres',
  ]),
  open: async (url, needs) => {
    const pool = new pg.Pool({ connectionString: url })
    return new MillraceQueue(
      {
        db: pool,
        query: async (text, values) => (await pool.query(text, values)).rows as unknown[],
        close: () => pool.end(),
      },
      needs,
    )
  },
}

/** The same on the oldest Node that Millrace is for, where a difference would show. */
export const millraceNode20: Contender = {
  ...millrace,
  name: 'millrace-node20',
  node: '20',
  only: [
    'enqueue-one-by-one',
    'enqueue-50-callers',
    'bulk-enqueue',
    'drain-kept',
    'drain-not-kept',
    'latency-other-process',
    'start-up',
  ],
}
