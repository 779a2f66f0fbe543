import { version } from '../../dist/version.js'
import { openEmbedded } from '../../dist/embedded/index.js'
import type { Contender } from '../contender.ts'
import { MillraceQueue } from './millrace-queue.ts'

/** Millrace on PGlite, a PostgreSQL inside the process, with its data in a folder. */
export const millracePglite: Contender = {
  name: 'millrace-pglite',
  library: 'millrace',
  version,
  backend: 'pglite',
  tuning: 'defaults',
  settings: {},
  // It has one connection and belongs to one process: no transactions beside others, no second process.
  abilities: new Set(['bulk', 'keep', 'discard', 'fifo', 'retries', 'priorities']),
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
