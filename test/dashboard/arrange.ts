import { createDashboard, type Dashboard } from '../../src/dashboard/index.ts'
import type { DashboardOptions } from '../../src/dashboard/options.ts'
import type { Database } from '../../src/drivers/database.ts'

/** An answer, read. */
export interface Read {
  readonly status: number
  readonly headers: Headers
  /** Of JSON. */
  readonly body: Body
  readonly text: string
}

/** What tests look into, of all answers together: an answer has some of it. */
export interface Body {
  readonly jobs: readonly ReadJob[]
  readonly sample: readonly ReadJob[]
  readonly queues: readonly ReadQueue[]
  readonly workers: readonly Record<string, unknown>[]
  readonly entries: readonly Record<string, unknown>[]
  readonly next: string | null
  readonly logs: readonly { readonly number: number; readonly message: string }[]
  readonly name: string
  readonly counts: ReadQueue['counts']
  readonly count: { readonly value: number; readonly precision: string }
  readonly changed: number
  readonly args: unknown
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly error: {
    readonly code: string
    readonly message: string
    readonly field: string
    readonly value: unknown
    readonly remedy: string
    readonly id: string
  }
}

interface ReadJob {
  readonly id: string
  readonly args: unknown
}

interface ReadQueue {
  readonly name: string
  readonly longestWaitMs: number | null
  readonly counts: Readonly<Record<string, { value: number; precision: string }>>
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
  const isJson = text !== '' && headers.get('content-type') === 'application/json'
  return { status, headers, body: (isJson ? JSON.parse(text) : {}) as Body, text }
}
