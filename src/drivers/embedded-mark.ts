import type { PGliteInstance } from './pglite-shapes.ts'

/**
 * The property under which an embedded database shows its PGlite to this room, and to nobody else.
 * A registered symbol, so that two copies of the package in one process know each other's databases.
 */
export const EMBEDDED: unique symbol = Symbol.for('millrace.embedded')

/** What `openEmbedded` returns, as this room sees it. */
export interface EmbeddedLike {
  readonly [EMBEDDED]: PGliteInstance
}
