import { version } from '../../dist/version.js'
import { openEmbedded } from '../../dist/embedded/index.js'
import type { Contender } from '../contender.ts'
import { MANY, MillraceQueue } from './millrace-queue.ts'

/** Millrace on PGlite, a PostgreSQL inside the process, with its data in a folder. */
export const millracePglite: Contender = {
  name: 'millrace-pglite',
  library: 'millrace',
  version,
  backend: 'pglite',
  tuning: 'defaults',
  settings: { enqueueMany: MANY },
  // It has one connection and belongs to one process: no transactions beside others, no second process.
  abilities: new Set(['bulk', 'keep', 'discard', 'fifo', 'retries', 'priorities']),
  only: [
    'enqueue-one-by-one',
    'enqueue-50-callers',
    'bulk-enqueue',
    'drain-kept',
    'drain-not-kept',
    'drain-at-defaults',
    'handlers-5ms',
    'latency-same-process',
    'depth-0',
    'depth-100k',
    'fifo',
    'retries',
    'priorities',
    'start-up',
  ],
  open: async (folder, needs) => {
    const db = await openEmbedded(folder)
    return new MillraceQueue(
      {
        db,
        query: async (text, values) => (await db.query(text, values)).rows,
        close: () => db.close(),
      },
      needs,
    )
  },
}
