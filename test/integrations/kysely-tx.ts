import { CompiledQuery, type Transaction } from 'kysely'
import type { DBTX } from 'millrace'

/** A transaction of Kysely as Millrace takes one. */
export function kyselyTx<Schema>(trx: Transaction<Schema>): DBTX {
  return {
    async query(text, values = []) {
      const query = CompiledQuery.raw(text, values)
      const { rows } = await trx.executeQuery<Record<string, unknown>>(query)
      return { rows, rowCount: rows.length }
    },
  }
}
