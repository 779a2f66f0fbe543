import os from 'node:os'
import path from 'node:path'
import { loadContender } from '../contenders/index.ts'
import type { Contender } from '../contender.ts'
import { UsageError } from '../harness/options.ts'
import type { PlannedRun } from '../harness/plan.ts'
import { HERE } from '../harness/programs.ts'
import { endAllRoles } from '../harness/role.ts'
import { runOne } from '../harness/run-one.ts'
import { SCALES } from '../harness/scale.ts'
import type { Scenario } from '../harness/scenario.ts'
import { OwnServers } from '../harness/servers.ts'
import { METRICS, type Measurement, type Metric } from '../results.ts'
import { ALL_SCENARIOS } from '../scenarios/index.ts'
import {
  comparePairs,
  describeComparison,
  isSlower,
  LEAST_RATIO,
  pairUp,
  type Comparison,
} from './comparison.ts'
import { COMPARE_HELP, readCompareOptions, type CompareOptions } from './options.ts'
import { build, buildRevision } from './revision.ts'

// `npm run bench:compare`: whether the checkout is as fast as another revision. See options.ts for what it can be told.

const root = path.resolve(import.meta.dirname, '../..')

const INTERRUPTED = 130

type Side = 'before' | 'after'

/** What both builds did, each in the order of the rounds. */
type Sides = Readonly<Record<Side, Measurement[]>>

/** What is shown of a scenario beside its headline, as what others do on the machine disturbs it less. */
const ALSO_SHOWN: readonly Metric[] = ['nodeCpuPer100k', 'serverCpuPer100k', 'walBytesPerJob']

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readCompareOptions(args)
    if (options !== undefined) return await compare(options)
    console.log(COMPARE_HELP)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(error.message)
    return 2
  }
}

async function compare(options: CompareOptions): Promise<number> {
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interruption.abort()
      endAllRoles()
    })
  }
  const revision = buildRevision(root, options.revision)
  try {
    build(root)
    console.log(`Before: ${revision.title}\nAfter: this checkout\n`)
    const dists = { before: revision.dist, after: path.join(root, 'dist') }
    const measured = await measure(options, dists, interruption.signal)
    const exitCode = conclude(measured)
    return interruption.signal.aborted ? INTERRUPTED : exitCode
  } finally {
    revision.remove()
  }
}

/** Makes all rounds on one server; each run has fresh processes and a fresh database. */
async function measure(
  options: CompareOptions,
  dists: Readonly<Record<Side, string>>,
  interrupted: AbortSignal,
): Promise<Map<Scenario, Sides>> {
  const scenarios = ALL_SCENARIOS.filter(({ name }) => options.scenarios.includes(name))
  const contender = await loadContender('millrace')
  const measured = new Map(
    scenarios.map((one): [Scenario, Sides] => [one, { before: [], after: [] }]),
  )
  const servers = await OwnServers.start()
  const scale = SCALES[options.scale]
  console.log(`PostgreSQL ${await servers.measured.version()}, ${describeMachine()}\n`)
  try {
    // The first round is for the server to get warm, and not counted.
    for (let round = 0; round <= options.rounds && !interrupted.aborted; round += 1) {
      for (const [scenario, sides] of measured) {
        for (const side of orderOf(round)) {
          if (interrupted.aborted) break
          const run = planned({ scenario, contender, repetition: round, dist: dists[side] })
          const measurement = {
            ...(await runOne(run, scale, servers)),
            node: process.versions.node,
          }
          if (interrupted.aborted) break // it was ended in the middle
          if (round > 0) sides[side].push(measurement)
          tell(round, side, scenario, measurement)
        }
      }
    }
  } finally {
    await servers.remove()
  }
  return measured
}

/** Before, after, after, before, …: none of them always comes second. */
function orderOf(round: number): readonly Side[] {
  return round % 2 === 0 ? ['before', 'after'] : ['after', 'before']
}

function planned(given: {
  scenario: Scenario
  contender: Contender
  repetition: number
  dist: string
}): PlannedRun {
  const { scenario, contender, repetition, dist } = given
  // Statements are counted in a run of its own, which nobody compares.
  const plain = { ...scenario, countsStatements: false }
  return { scenario: plain, contender, repetition, program: { ...HERE, dist } }
}

function tell(round: number, side: Side, { name, headline }: Scenario, run: Measurement): void {
  const figure = run.values[headline]?.toFixed(0) ?? 'nothing'
  console.log(`${round === 0 ? 'warm-up' : `round ${round}`} ${name} ${side}: ${figure}`)
  for (const problem of run.problems) console.log(`  problem: ${problem}`)
}

/** Prints the table; answers the exit code. */
function conclude(measured: ReadonlyMap<Scenario, Sides>): number {
  const rows: object[] = []
  let isBad = false
  for (const [{ name, headline }, { before, after }] of measured) {
    for (const metric of [headline, ...ALSO_SHOWN]) {
      const comparison = comparePairs(pairUp(before, after, metric), METRICS[metric].better)
      if (comparison === undefined) continue
      rows.push({ scenario: name, ...describeComparison(metric, comparison) })
      if (metric === headline && isSlower(comparison)) isBad = sayItIsSlower(name, comparison)
    }
    const problems = [...before, ...after].filter((run) => run.problems.length > 0)
    if (problems.length > 0 || before.length === 0) isBad = true
  }
  console.table(rows)
  console.log(describeMachine())
  return isBad ? 1 : 0
}

function sayItIsSlower(name: string, { most }: Comparison): true {
  console.log(
    `${name} is slower: at most ${most.toFixed(3)} of what it was; ${LEAST_RATIO} may be.`,
  )
  return true
}

function describeMachine(): string {
  const load = os.loadavg().map((value) => value.toFixed(1))
  const [cpu] = os.cpus()
  return `Node ${process.versions.node}, ${cpu?.model} × ${os.availableParallelism()}, load ${load.join(' ')}`
}
