import { quoteIdentifier } from '../core/identifiers.ts'
import type { PGliteInstance } from './pglite-shapes.ts'

/**
 * LISTEN on a PGlite for several listeners, on channels of any name.
 * PGlite's own `listen` matches names before unquoting them, so that a name with a quote in it never hears anything;
 * and UNLISTEN is for the one session that all share, so a channel is left only by its last listener.
 */
class Listening {
  readonly #pglite: PGliteInstance
  readonly #listeners = new Map<string, Set<(payload: string) => void>>()

  constructor(pglite: PGliteInstance) {
    this.#pglite = pglite
    pglite.onNotification((channel, payload) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener(payload)
    })
  }

  async add(channel: string, listener: (payload: string) => void): Promise<void> {
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners.add(listener))
    await this.#pglite.exec(`listen ${quoteIdentifier(channel)}`)
  }

  async remove(channel: string, listener: (payload: string) => void): Promise<void> {
    const listeners = this.#listeners.get(channel)
    if (listeners?.delete(listener) !== true || listeners.size > 0) return
    this.#listeners.delete(channel)
    if (!this.#pglite.closed) await this.#pglite.exec(`unlisten ${quoteIdentifier(channel)}`)
  }
}

const listenings = new WeakMap<object, Listening>()

/** The one place of a PGlite that listens. */
export function listeningOf(pglite: PGliteInstance): Listening {
  const known = listenings.get(pglite)
  if (known !== undefined) return known
  const listening = new Listening(pglite)
  listenings.set(pglite, listening)
  return listening
}
