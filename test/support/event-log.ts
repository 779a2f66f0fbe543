import { inspect } from 'node:util'
import type { EventOf, EventType, MillraceEvent } from '../../src/core/events.ts'
import { PATIENCE_MS } from './until.ts'

/** An event, and the process that it happened in. */
export type Sighting<Type extends EventType = EventType> = EventOf<Type> & { readonly pid: number }

/** Which events are meant: those of a job, those with these fields, or those for which the function is true. */
export type Match<Type extends EventType> =
  | string
  | Partial<Sighting<Type>>
  | ((event: Sighting<Type>) => boolean)

/** How `seen` waits. */
export interface SeenOptions {
  /** The first such event is 1. @default 1 */
  nth?: number
  withinMs?: number
}

/** Everything that happened in a test, in this process and in its children, in the order in which we heard of it. */
export class EventLog {
  readonly events: Sighting[] = []
  readonly #waiters = new Set<() => void>()

  record(event: MillraceEvent, pid: number): void {
    this.events.push({ ...event, pid })
    for (const look of this.#waiters) look()
  }

  /** Those that happened so far. */
  all<Type extends EventType>(type: Type, match?: Match<Type>): Sighting<Type>[] {
    return this.events.filter(
      (event): event is Sighting<Type> =>
        event.type === type && fits(event as Sighting<Type>, match),
    )
  }

  /** Waits for an event; one that happened already counts. */
  async seen<Type extends EventType>(
    type: Type,
    match?: Match<Type>,
    { nth = 1, withinMs = PATIENCE_MS }: SeenOptions = {},
  ): Promise<Sighting<Type>> {
    const find = (): Sighting<Type> | undefined => this.all(type, match)[nth - 1]
    const already = find()
    if (already !== undefined) return already
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => end(undefined), withinMs)
      const end = (found: Sighting<Type> | undefined): void => {
        clearTimeout(timer)
        this.#waiters.delete(look)
        if (found === undefined) reject(new Error(this.#notSeen(type, match, nth, withinMs)))
        else resolve(found)
      }
      const look = (): void => {
        const found = find()
        if (found !== undefined) end(found)
      }
      this.#waiters.add(look)
    })
  }

  #notSeen(type: string, match: unknown, nth: number, withinMs: number): string {
    const which = nth === 1 ? '' : ` number ${nth}`
    const last = this.events.slice(-20).map((event) => `  ${inspect(event, { breakLength: 1000 })}`)
    return `Event ${type}${which} ${describe(match)} did not come in ${withinMs} ms. The last of ${this.events.length} events:\n${last.join('\n')}`
  }
}

function fits<Type extends EventType>(event: Sighting<Type>, match?: Match<Type>): boolean {
  if (match === undefined) return true
  if (typeof match === 'function') return match(event)
  const fields = typeof match === 'string' ? { jobId: match } : match
  return Object.entries(fields).every(
    ([name, value]) => Reflect.get(event as object, name) === value,
  )
}

function describe(match: unknown): string {
  if (match === undefined) return ''
  return typeof match === 'function' ? `with ${match.toString()}` : `with ${inspect(match)}`
}
