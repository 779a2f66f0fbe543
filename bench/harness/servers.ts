import { BenchPostgres } from './postgres-database.ts'
import type { Servers } from './run-one.ts'

/** The servers of one run of the benchmark. */
export class OwnServers implements Servers {
  readonly measured: BenchPostgres
  #counting: Promise<BenchPostgres> | undefined

  private constructor(measured: BenchPostgres) {
    this.measured = measured
  }

  static async start(): Promise<OwnServers> {
    return new OwnServers(await BenchPostgres.start())
  }

  /** Started when it is first needed. */
  async counting(): Promise<BenchPostgres> {
    this.#counting ??= BenchPostgres.start({ countsStatements: true })
    return this.#counting
  }

  async remove(): Promise<void> {
    await Promise.all([this.measured.remove(), this.#counting?.then((server) => server.remove())])
  }
}
