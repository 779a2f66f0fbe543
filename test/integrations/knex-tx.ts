import type { Knex } from 'knex'
import type { DBTX } from 'millrace'

/** A transaction of Knex as Millrace takes one. */
export function knexTx(trx: Knex.Transaction): DBTX {
  return {
    async query(text, values = []) {
      // Knex has `?` for a parameter, and `\?` for a question mark.
      const bindings: unknown[] = []
      const raw = text.replaceAll('?', '\\?').replaceAll(/\$(\d+)/g, (_, number) => {
        bindings.push(values[Number(number) - 1])
        return '?'
      })
      const { rows, rowCount } = await trx.raw<Answer>(raw, bindings as Knex.RawBinding[])
      return { rows, rowCount }
    },
  }
}

interface Answer {
  rows: Record<string, unknown>[]
  rowCount: number | null
}
