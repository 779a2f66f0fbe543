import { sql, type SQL } from 'drizzle-orm'
import type { DBTX } from 'millrace'

/** A transaction of Drizzle, on node-postgres or on postgres.js, as Millrace takes one. */
export function drizzleTx(tx: { execute(query: SQL): PromiseLike<unknown> }): DBTX {
  return {
    async query(text, values = []) {
      // Drizzle numbers parameters itself: each `$n` becomes one of its own.
      const parts = text
        .split(/\$(\d+)/)
        .map((part, index) =>
          index % 2 === 0 ? sql.raw(part) : sql`${sql.param(values[Number(part) - 1])}`,
        )
      const answer = (await tx.execute(sql.join(parts))) as Rows | { rows: Rows }
      const rows = Array.isArray(answer) ? [...answer] : answer.rows
      return { rows, rowCount: rows.length }
    },
  }
}

type Rows = Record<string, unknown>[]
