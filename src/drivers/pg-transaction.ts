import type { Executor, QueryResult } from './driver.ts'
import { lastResult, statement, type PgClient } from './pg-shapes.ts'
import { preparedName } from './prepared-names.ts'

/** Whether a client speaks to the server itself, asked once for each. */
const directness = new WeakMap<PgClient, Promise<boolean>>()

/**
 * Runs statements on a pg client that is in a transaction of its user's.
 *
 * There a refused name would end the transaction. So statements are prepared only over a client that speaks to the
 * server itself: poolers give their clients process numbers of their own.
 */
export function clientExecutor(client: PgClient): Executor {
  const query = async (text: string, values?: unknown[], name?: string): Promise<QueryResult> =>
    lastResult(await client.query(statement(text, values, name)))
  return {
    query: (text, values) => query(text, values),
    queryPrepared: async (text, values) => {
      const isDirect = await (directness.get(client) ?? askWhetherDirect(client))
      return query(text, values, isDirect ? preparedName(text) : undefined)
    },
  }
}

function askWhetherDirect(client: PgClient): Promise<boolean> {
  const asked = client
    .query(statement('select pg_backend_pid()::int4 as "pid"'))
    .then((answer) => lastResult<{ pid: number }>(answer).rows[0]?.pid === client.processID)
  directness.set(client, asked)
  asked.catch(() => directness.delete(client)) // in an aborted transaction: ask again in the next
  return asked
}
