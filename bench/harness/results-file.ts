import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import type { Measurement } from '../results.ts'

/** What the file holds: the measurements of one run of the benchmark, which may not have come to its end. */
interface Stored {
  /** What was run, and of which build: only the same goes on. */
  readonly run: string
  readonly startedAt: string
  readonly isComplete: boolean
  readonly measurements: readonly Measurement[]
}

/** Keeps the measurements of a run on disk, so that an interrupted run goes on where it stopped. */
export class ResultsFile {
  readonly startedAt: string
  readonly #file: string
  readonly #run: string
  readonly #measurements: Measurement[]

  /** `run` says what is run, in any words: what was begun with others is forgotten, and also what is complete. */
  constructor(file: string, run: string, { fresh }: { fresh: boolean }) {
    this.#file = file
    this.#run = run
    const stored = fresh ? undefined : read(file)
    const goesOn = stored !== undefined && stored.run === run && !stored.isComplete
    this.startedAt = goesOn ? stored.startedAt : new Date().toISOString()
    this.#measurements = goesOn ? [...stored.measurements] : []
  }

  get measurements(): readonly Measurement[] {
    return this.#measurements
  }

  has(key: string): boolean {
    return this.#measurements.some((measurement) => keyOf(measurement) === key)
  }

  add(measurement: Measurement): void {
    this.#measurements.push(measurement)
    this.#write(false)
  }

  complete(): void {
    this.#write(true)
  }

  /** The measurements beside it as a plain list, which is what is published. */
  #write(isComplete: boolean): void {
    const stored: Stored = {
      run: this.#run,
      startedAt: this.startedAt,
      isComplete,
      measurements: this.#measurements,
    }
    mkdirSync(path.dirname(this.#file), { recursive: true })
    const fresh = `${this.#file}.new`
    writeFileSync(fresh, `${JSON.stringify(stored, null, 1)}\n`)
    renameSync(fresh, this.#file)
  }
}

/** The last run of a file, complete or not. */
export function readLastRun(
  file: string,
): { startedAt: string; measurements: readonly Measurement[] } | undefined {
  return read(file)
}

/** What tells one measurement from all others of a run. */
export function keyOf(
  part: Pick<Measurement, 'scenario' | 'contender' | 'repetition' | 'sizes' | 'node'>,
): string {
  const { scenario, contender, repetition, sizes, node } = part
  return JSON.stringify([scenario, contender, repetition, sizes, node])
}

/** A mark of all programs in some folders, whatever their times: measurements of two builds are never mixed. */
export function hashFolders(folders: readonly string[], root: string): string {
  const hash = createHash('sha256')
  for (const folder of folders.map((each) => path.join(root, each))) {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
    for (const name of names.filter((each) => each.endsWith('.js') || each.endsWith('.ts'))) {
      hash.update(name).update(readFileSync(path.join(folder, name)))
    }
  }
  return hash.digest('hex').slice(0, 16)
}

function read(file: string): Stored | undefined {
  if (!existsSync(file)) return undefined
  return JSON.parse(readFileSync(file, 'utf8')) as Stored
}
