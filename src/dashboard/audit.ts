import type { EventBus } from '../core/event-bus.ts'
import { MillraceError } from '../core/errors.ts'
import { addAuditEntry, closeAuditEntry, type AuditIntention } from '../store/audit.ts'
import type { Store } from '../store/store.ts'
import type { Actor } from './auth.ts'
import { Refusal } from './refusal.ts'
import type { About, Answer, Call, Route } from './route.ts'

const MAX_REQUEST = 4_096
const MAX_TEXT = 200

/**
 * Writes down who does what. First what is intended, then what became of it: an entry that stays `started` is of a
 * request whose process died or lost its database in between, and may have been carried out.
 */
export class Audit {
  readonly #store: Store
  readonly #events: EventBus

  constructor(store: Store, events: EventBus) {
    this.#store = store
    this.#events = events
  }

  /** Carries out a request; one that changes something only once that is written down. */
  async carryOut(route: Route, call: Call): Promise<Answer> {
    const about = route.about?.(call)
    if (about === undefined) return route.handle(call)
    const id = await addAuditEntry(this.#store, intentionOf(route, call.actor, about), 'started')
    try {
      const answer = await route.handle(call)
      const { changed = 0, jobIds = [] } = answer
      await this.#close(id, { outcome: 'done', changed, jobIds })
      return answer
    } catch (error) {
      await this.#close(id, { outcome: codeOf(error), changed: 0, jobIds: [] })
      throw error
    }
  }

  /** Somebody tried what their role may not do. Of what only reads nothing is written. */
  async noteRefusal(route: Route, actor: Actor, path: Call['path']): Promise<void> {
    if (route.about === undefined) return
    const about = { queueName: path['queue'], request: { path } }
    await addAuditEntry(this.#store, intentionOf(route, actor, about), 'FORBIDDEN')
  }

  /** What was done is done, and what failed has failed, also when this cannot be written down any more. */
  async #close(id: string, end: Parameters<typeof closeAuditEntry>[2]): Promise<void> {
    try {
      await closeAuditEntry(this.#store, id, end)
    } catch (error) {
      this.#events.emit({ type: 'audit.failed', entryId: id, outcome: end.outcome, error })
    }
  }
}

function intentionOf(
  { id: action }: Route,
  { name, role }: Actor,
  { queueName, jobIds = [], jobCount = jobIds.length, request }: About,
): AuditIntention {
  return {
    actor: storable(name),
    role,
    action,
    queueName: queueName === undefined ? null : storable(queueName),
    jobIds,
    jobCount: jobCount === 0 ? null : jobCount,
    requestJson: request === undefined ? null : requestText(request),
  }
}

/** JSON, with everything escaped that PostgreSQL's text cannot hold. */
function requestText(request: object): string {
  const text = JSON.stringify(request)
  if (text.length <= MAX_REQUEST) return text
  return JSON.stringify({ tooLarge: Object.keys(request).slice(0, 20) })
}

/** What comes from elsewhere may be longer than a name, or hold what PostgreSQL's text cannot. */
export function storable(name: string): string {
  return name.slice(0, MAX_TEXT).replaceAll(/\p{Surrogate}|\0/gu, '\uFFFD')
}

function codeOf(error: unknown): string {
  return error instanceof Refusal || error instanceof MillraceError ? error.code : 'FAILED'
}
