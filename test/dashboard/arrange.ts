import { createDashboard, type Dashboard } from '../../src/dashboard/index.ts'
import type { DashboardOptions } from '../../src/dashboard/options.ts'
import type { Database } from '../../src/drivers/database.ts'

/** An answer, read. */
export interface Read {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it
  readonly body: any
}

/** Asks the API: `api('GET', '/api/queues')`, `api('POST', '/api/queues/emails/jobs', { jobs: [] })`. */
export type Api = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Read>

/** The API of a dashboard, asked by its `fetch`. */
export function apiOf(dashboard: Dashboard): Api {
  return async (method, path, body, headers = {}) => {
    const hasBody = !['GET', 'HEAD', 'DELETE'].includes(method)
    const response = await dashboard.fetch(
      new Request(`http://localhost:4000${path}`, {
        method,
        headers: { ...(hasBody ? { 'content-type': 'application/json' } : {}), ...headers },
        ...(hasBody ? { body: typeof body === 'string' ? body : JSON.stringify(body ?? {}) } : {}),
      }),
    )
    return read(response)
  }
}

/** A dashboard for an administrator, and its API. */
export function adminApi(
  db: Database,
  schema: string,
  options: Partial<DashboardOptions> = {},
): Api {
  return apiOf(
    createDashboard(db, { auth: () => ({ role: 'admin', name: 'ada' }), schema, ...options }),
  )
}

export async function read(response: Response): Promise<Read> {
  const text = await response.text()
  const { status, headers } = response
  return { status, headers, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
}
