import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'

/** Asks until the answer is there; a test waits for a fact, not for a time. */
export async function until<T>(ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await sleep(5)
  }
}

/** The backend that shows a statement with `mark` in it, once it runs. */
export function backendRunning(admin: Pool, mark: string): Promise<number> {
  return until(async () => {
    const { rows } = await admin.query<{ pid: number }>(
      `select pid from pg_stat_activity
       where state = 'active' and strpos(query, $1) > 0 and pid <> pg_backend_pid()`,
      [mark],
    )
    return rows[0]?.pid
  })
}

/** Ends a backend as an administrator would, and waits until it is gone. */
export async function terminate(admin: Pool, pid: number): Promise<void> {
  await admin.query('select pg_terminate_backend($1::int4)', [pid])
  await backendGone(admin, pid)
}

/** Resolves when no backend has this number. */
export async function backendGone(admin: Pool, pid: number): Promise<void> {
  await until(async () => {
    const { rowCount } = await admin.query('select from pg_stat_activity where pid = $1', [pid])
    return rowCount === 0 ? true : undefined
  })
}
