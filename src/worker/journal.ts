import type { EventBus } from '../core/event-bus.ts'
import type { RunNote } from '../core/notes.ts'
import { storeNotes, type Note } from '../store/notes.ts'
import { compareNumerals } from '../store/numerals.ts'
import type { Store } from '../store/store.ts'
import { atMost } from './bell.ts'
import { isDataError } from './outage.ts'
import type { RunNotes } from './run-notes.ts'

/** What runs say waits so long for what others say. */
const EVERY_MS = 250
/** After a failure it waits so long. */
const RETRY_MS = 2_000
/** A run that is over waits no longer than this for its last words to be stored. */
const LAST_WORDS_MS = 1_000
/** So many runs share a statement. */
const MAX_BATCH = 200

/**
 * Stores what the runs of this process say of themselves: now and then, all of a queue in one statement. A run that
 * says nothing is not known here. What cannot be stored is an event, and nothing to the run.
 */
export class Journal {
  readonly #store: Store
  readonly #events: EventBus
  readonly #ended: AbortSignal
  /** Runs that have said something that is not stored. */
  readonly #pending = new Set<RunNotes>()
  /** Runs that are over, and who waits for their last words. */
  readonly #closing = new Map<RunNotes, () => void>()
  #timer: NodeJS.Timeout | undefined
  #isWorking = false
  /** The last try failed: that has been told. */
  #isFailing = false

  constructor(store: Store, events: EventBus, ended: AbortSignal) {
    this.#store = store
    this.#events = events
    this.#ended = ended
  }

  /** A run says something. */
  add(notes: RunNotes, note: RunNote): void {
    notes.add(note, performance.now())
    this.#pending.add(notes)
    this.#wakeAfter(EVERY_MS)
  }

  /** The run is over, and says nothing more. Resolves when its last words are stored, or after a while. */
  async close(notes: RunNotes): Promise<void> {
    if (!notes.isPending || this.#ended.aborted) return this.forget(notes)
    const stored = new Promise<void>((resolve) => this.#closing.set(notes, resolve))
    this.#wakeAfter(0)
    await atMost(stored, LAST_WORDS_MS)
    this.forget(notes)
  }

  /** Stores nothing more of the run. */
  forget(notes: RunNotes): void {
    this.#pending.delete(notes)
    this.#closing.get(notes)?.()
    this.#closing.delete(notes)
  }

  #wakeAfter(ms: number): void {
    if (this.#isWorking) return // it looks again before it rests
    if (this.#timer !== undefined && ms > 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#work(), ms)
    this.#timer.unref()
  }

  async #work(): Promise<void> {
    this.#timer = undefined
    this.#isWorking = true
    do {
      const over = [...this.#closing.keys()]
      const now = performance.now()
      const due = [...this.#pending].filter((notes) => notes.isDue(now, this.#closing.has(notes)))
      for (const group of groupsOf(due)) await this.#write(group)
      for (const notes of over) this.forget(notes)
    } while (this.#closing.size > 0)
    this.#isWorking = false
    if (this.#pending.size > 0 && !this.#ended.aborted) {
      this.#wakeAfter(this.#isFailing ? RETRY_MS : EVERY_MS)
    }
  }

  /** Stores what runs of one queue and one registration have said. Never rejects. */
  async #write(group: readonly RunNotes[]): Promise<void> {
    const [first] = group
    if (first === undefined) return
    const { queueId, registration } = first.inHand
    if (registration.lost.aborted) return group.forEach((notes) => this.forget(notes))
    const now = performance.now()
    const read = group
      .map((notes) => [notes, notes.read(now, this.#closing.has(notes))] as const)
      .sort(([, left], [, right]) => compareNumerals(left.id, right.id))
    const noted = read.map(([, note]) => note)
    try {
      const ids = await storeNotes(this.#store, { queueId, workerId: registration.id }, noted)
      this.#isFailing = false
      const held = new Set(ids)
      for (const [notes, note] of read) this.#stored(notes, note, held.has(note.id), now)
    } catch (error) {
      await this.#failed(group, error)
    }
  }

  #stored(notes: RunNotes, note: Note, isHeld: boolean, now: number): void {
    notes.stored(note, now)
    if (!isHeld) notes.clear() // somebody else has the job
    if (!notes.isPending) this.#pending.delete(notes)
  }

  /** It is tried again, but for what can never be stored; the lines of a lost answer may then be stored twice. */
  async #failed(group: readonly RunNotes[], error: unknown): Promise<void> {
    const [only] = group
    if (isDataError(error) && group.length > 1) {
      for (const notes of group) await this.#write([notes])
      return
    }
    if (isDataError(error) && only !== undefined) this.forget(only)
    if (this.#isFailing || this.#ended.aborted || only === undefined) return
    this.#isFailing = true
    this.#events.emit({ type: 'progress.not_stored', queueName: only.queueName, error })
  }
}

/** Runs that one statement can speak of. */
function groupsOf(all: readonly RunNotes[]): RunNotes[][] {
  const last = new Map<string, RunNotes[]>()
  const groups: RunNotes[][] = []
  for (const notes of all) {
    const { queueId, registration } = notes.inHand
    const key = `${queueId} ${registration.id}`
    const group = last.get(key)
    if (group !== undefined && group.length < MAX_BATCH) {
      group.push(notes)
      continue
    }
    const next = [notes]
    groups.push(next)
    last.set(key, next)
  }
  return groups
}
