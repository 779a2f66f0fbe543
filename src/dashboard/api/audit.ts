import { listAudit, type AuditRow } from '../../store/audit.ts'
import { microsToDate } from '../../store/instants.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import { REDACTED, type Redactor } from '../redact.ts'
import { look, numberAt, type Call, type Parts, type Route } from '../route.ts'
import { pageOf, pageParameters, ref } from './shapes.ts'

const LIST = ['audit']
/** Filters that say what is in jobs. */
const OF_JOBS = new Set(['metadata', 'errorText', 'tags'])

export const auditRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/api/audit',
    id: 'listAudit',
    summary: 'List who did what, the latest first. Entries are kept for 90 days.',
    role: 'admin',
    query: pageParameters(200),
    answer: pageOf('entries', ref('AuditEntry')),
    handle: async ({ parts, query }) => ({ body: await readAudit(parts, query) }),
  },
]

/** What somebody did, as it leaves. */
export interface ShownEntry {
  readonly id: string
  readonly at: string
  readonly actor: string
  readonly role: string
  readonly action: string
  readonly queue: string | null
  readonly jobIds: readonly string[]
  readonly jobCount: number | null
  readonly request: object | null
  readonly changed: number | null
  readonly outcome: string
}

/** A page of who did what. */
export async function readAudit(
  parts: Parts,
  query: Call['query'],
): Promise<{ entries: ShownEntry[]; next: string | null }> {
  const beforeId = readCursor(LIST, query['cursor'], (text) => /^\d{1,18}$/.test(text))
  const limit = numberAt(query, 'limit', 50)
  const page = { beforeId, limit: limit + 1 }
  const rows = await look(parts, (tx) => listAudit(parts.store, page, tx))
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  const entries = shown.map((row) => showEntry(row, parts.redactor))
  return { entries, next: last === undefined ? null : writeCursor(LIST, last.id) }
}

function showEntry({ queueName, ...row }: AuditRow, redactor: Redactor): ShownEntry {
  const { id, at, actor, role, action, jobCount, changed, outcome } = row
  const request = row.request === null ? null : (JSON.parse(row.request) as object)
  return {
    id,
    at: microsToDate(at).toISOString(),
    actor,
    role,
    action,
    queue: queueName,
    jobIds: JSON.parse(row.jobIds) as string[],
    jobCount,
    request: request !== null && redactor.isActive ? withoutFilter(request) : request,
    changed,
    outcome,
  }
}

/** What jobs were looked for by says what is in them. */
function withoutFilter(request: object): object {
  const entries = Object.entries(request).map(([name, value]): [string, unknown] => [
    name,
    OF_JOBS.has(name) ? REDACTED : value,
  ])
  return Object.fromEntries(entries)
}
