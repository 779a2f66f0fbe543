import type { Contender, QueueNeeds } from '../contender.ts'
import type { BenchPostgres } from './postgres-database.ts'
import { type Usage, startMeter } from './meter.ts'
import { makePlace, type Place } from './place.ts'
import { Role, type RoleProgram } from './role.ts'
import { CONCURRENCY, type Scale } from './scale.ts'

export interface TrialParts {
  readonly contender: Contender
  readonly program: RoleProgram
  readonly postgres: BenchPostgres
  readonly scale: Scale
  readonly sizes: Readonly<Record<string, number>>
  readonly place: Place
}

/** One scenario, run once for one contender: its place, its processes, and what went wrong. */
export class Trial {
  readonly contender: Contender
  readonly postgres: BenchPostgres
  readonly scale: Scale
  readonly problems: string[] = []
  readonly #program: RoleProgram
  readonly #sizes: Readonly<Record<string, number>>
  readonly #roles: Role[] = []
  #place: Place

  private constructor(parts: TrialParts) {
    this.contender = parts.contender
    this.postgres = parts.postgres
    this.scale = parts.scale
    this.#place = parts.place
    this.#program = parts.program
    this.#sizes = parts.sizes
  }

  static async begin(parts: Omit<TrialParts, 'place'>): Promise<Trial> {
    return new Trial({ ...parts, place: await makePlace(parts.contender, parts.postgres) })
  }

  get place(): Place {
    return this.#place
  }

  /** One of the scenario's sizes at this scale. */
  size(name: string): number {
    const size = this.#sizes[name]
    if (size === undefined) throw new Error(`The scenario has no size ${name}`)
    return size
  }

  /**
   * Jobs that may run at once in one process. A contender at its best settings has the number that is best for it
   * among them.
   */
  get concurrency(): number | undefined {
    return this.contender.tuning === 'best' ? undefined : CONCURRENCY
  }

  /** Starts a process that has opened nothing. */
  start(): Role {
    const role = new Role(this.#program)
    this.#roles.push(role)
    return role
  }

  /** Starts a process with the queue open, where the contender allows more than one; else answers the first. */
  async open(needs: QueueNeeds): Promise<Role> {
    const [first] = this.#roles
    if (first !== undefined && !this.contender.abilities.has('processes')) return first
    const role = this.start()
    await role.call('open', { contender: this.contender.name, url: this.place.url, needs })
    return role
  }

  /** The same, and makes the queue ready: for a run's first process. */
  async prepare(needs: QueueNeeds): Promise<Role> {
    const role = await this.open(needs)
    await role.call('prepare')
    return role
  }

  /** Begins to measure what all processes of this run and the server do; calling the answer ends it. */
  async meter(): Promise<() => Promise<Usage>> {
    return startMeter(this.place, this.#roles)
  }

  /** The most memory that one of these processes, or of all of the run's, ever had. */
  async memoryPeakMb(roles: readonly Role[] = this.#roles): Promise<number> {
    const usages = await Promise.all(roles.map((role) => role.call('usage')))
    return Math.max(...usages.map(({ memoryPeakMb }) => memoryPeakMb))
  }

  problem(text: string): void {
    this.problems.push(text)
  }

  /** Ends every process and begins again in an empty place. */
  async renew(): Promise<void> {
    await this.end()
    this.#place = await makePlace(this.contender, this.postgres)
  }

  /** Ends every process and removes what the run wrote. */
  async end(): Promise<void> {
    await Promise.all(this.#roles.splice(0).map((role) => role.end()))
    await this.#place.remove()
  }
}
