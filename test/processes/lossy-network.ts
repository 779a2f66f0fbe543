import { Pool } from 'pg'
import type { TestAPI } from 'vitest'
import { test as base, type ServerFixtures } from '../support/fixtures.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

/** What goes over the wire when … */
export const SENT = {
  registration: 'workers (token',
  heartbeat: 'set beat = beat + 1',
  claim: 'select due.id',
  fifoClaim: 'with recursive walk',
  suspectClaim: 'with waiting as materialized',
  finish: `'finished', attempt + 1`,
  finishWithoutTrace: 'returning id, error_count',
  retry: 'error_count = error_count + 1',
  fail: `'failed', attempt + 1`,
  snooze: 'returning id, is_suspect',
  departure: 'with departed as',
  arrival: 'jsonb_to_recordset',
  insert: 'jobs (queue_id, args',
}

/** All of this process goes through a network that loses answers: `async ({ proxy, … })`. */
export const testThroughProxy = base.extend<{ proxy: TcpProxy; db: Pool }>({
  proxy: async (
    { databaseUrl }: { databaseUrl: string },
    use: (proxy: TcpProxy) => Promise<void>,
  ) => {
    const proxy = await startTcpProxy(databaseUrl)
    await use(proxy)
    await proxy.close()
  },
  db: async ({ proxy }: { proxy: TcpProxy }, use: (db: Pool) => Promise<void>) => {
    const pool = new Pool({ connectionString: proxy.url, max: 10 })
    pool.on('error', () => undefined)
    await use(pool)
    await pool.end()
  },
}) as unknown as TestAPI<ServerFixtures & { proxy: TcpProxy }>

/** Cuts the answer to the commit of the next transaction that sends `fragment`. */
export function cutCommitAfter(proxy: TcpProxy, fragment: string): Promise<void> {
  const before = proxy.rule
  return new Promise((resolve) => {
    let asker: unknown
    proxy.rule = (chunk, direction, connection) => {
      const isSent = direction === 'toServer'
      if (isSent && connection.sends(chunk, fragment)) asker = connection
      if (!isSent || connection !== asker || !chunk.includes('commit')) {
        return before(chunk, direction, connection)
      }
      proxy.rule = before
      void proxy.cutAnswerTo('commit').then(resolve)
      return proxy.rule(chunk, direction, connection)
    }
  })
}

/** Cuts the next connection on which `fragment` is sent, before it reaches the server. */
export function cutBefore(proxy: TcpProxy, fragment: string): void {
  const before = proxy.rule
  proxy.rule = (chunk, direction, connection) => {
    if (direction !== 'toServer' || !connection.sends(chunk, fragment)) {
      return before(chunk, direction, connection)
    }
    proxy.rule = before
    return 'cut'
  }
}
