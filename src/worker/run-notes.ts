import type { RunNote } from '../core/notes.ts'
import type { Note, NotedLine } from '../store/notes.ts'
import type { JobInHand } from './run.ts'

/** Progress of one job is stored no more often than this: with the journal's own rhythm it is no older than a second. */
const PROGRESS_EVERY_MS = 700
/** So many lines of one run wait at most to be stored; of more, the newest. */
const MAX_LINES = 200
/** And so many characters, so that a process with many runs stays small. */
const MAX_CHARACTERS = 65_536

/** A line that waits to be stored. */
interface Line {
  readonly message: string
  readonly fields: string | undefined
  /** By this process's monotonic clock. */
  readonly at: number
  /** Which line of its run it is, from 1. */
  readonly place: number
}

/** What one run has said and is not stored yet: bounded, however much it says. */
export class RunNotes {
  readonly inHand: JobInHand
  readonly queueName: string
  #progress: string | undefined
  #progressStoredAt = -Infinity
  #lines: Line[] = []
  #characters = 0
  #said = 0
  #storedUpTo = 0
  #isHeld = false

  constructor(inHand: JobInHand, queueName: string) {
    this.inHand = inHand
    this.queueName = queueName
  }

  add(note: RunNote, now: number): void {
    if (note.kind === 'progress') {
      this.#progress = note.json
      return
    }
    const { message, fields } = note
    this.#said += 1
    this.#lines.push({ message, fields, at: now, place: this.#said })
    this.#characters += sizeOf(note)
    // In one go, or a loop that logs would move the rest at each line.
    if (this.#lines.length >= 2 * MAX_LINES || this.#characters >= 2 * MAX_CHARACTERS) this.#drop()
  }

  /** Whether something may be stored now; `isLast`: it is the last time. */
  isDue(now: number, isLast: boolean): boolean {
    if (this.#isHeld && !isLast) return false
    return this.#lines.length > 0 || this.#isProgressDue(now, isLast)
  }

  /** Whether anything is not stored. */
  get isPending(): boolean {
    return this.#lines.length > 0 || this.#progress !== undefined
  }

  /** A transaction of the handler stores what there is: until it has ended nothing else may wait for its locks. */
  hold(): void {
    this.#isHeld = true
  }

  /** What is to be stored now. It stays here until `stored` is called. */
  read(now: number, isLast: boolean): Note {
    this.#drop()
    const { job, claimNo } = this.inHand
    return {
      id: job.id,
      claimNo,
      attempt: job.attempt + 1,
      progress: this.#isProgressDue(now, isLast) ? this.#progress : undefined,
      lineCount: this.#said - this.#storedUpTo,
      lines: this.#lines.map((line) => this.#toStore(line, now)),
    }
  }

  /** What was read is stored; what was said meanwhile is not. */
  stored({ progress, lineCount }: Note, now: number): void {
    this.#storedUpTo += lineCount
    this.#lines = this.#lines.filter(({ place }) => place > this.#storedUpTo)
    this.#characters = this.#lines.reduce((sum, line) => sum + sizeOf(line), 0)
    if (progress === undefined) return
    this.#progressStoredAt = now
    if (this.#progress === progress) this.#progress = undefined
  }

  /** Forgets all that is not stored. */
  clear(): void {
    this.#lines = []
    this.#characters = 0
    this.#storedUpTo = this.#said
    this.#progress = undefined
  }

  #isProgressDue(now: number, isLast: boolean): boolean {
    if (this.#progress === undefined) return false
    return isLast || now - this.#progressStoredAt >= PROGRESS_EVERY_MS
  }

  #toStore({ message, fields, at, place }: Line, now: number): NotedLine {
    return { place: place - this.#storedUpTo, agoMs: now - at, message, fields }
  }

  /** Drops the oldest lines beyond what may wait; they leave a gap in the numbers. */
  #drop(): void {
    const lines = this.#lines
    let from = Math.max(0, lines.length - MAX_LINES)
    let characters = lines.slice(from).reduce((sum, line) => sum + sizeOf(line), 0)
    while (characters > MAX_CHARACTERS && from < lines.length - 1) {
      const oldest = lines[from]
      characters -= oldest === undefined ? 0 : sizeOf(oldest)
      from += 1
    }
    this.#lines = lines.slice(from)
    this.#characters = characters
  }
}

function sizeOf({ message, fields }: Pick<Line, 'message' | 'fields'>): number {
  return message.length + (fields?.length ?? 0)
}
