import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { CONTENDERS, loadContender } from './contenders/index.ts'
import type { Contender } from './contender.ts'
import { describeBenchmark } from './harness/context.ts'
import { HELP, type Options, readOptions, UsageError } from './harness/options.ts'
import { planRuns, type PlannedRun } from './harness/plan.ts'
import { announce, conclude, tell } from './harness/progress.ts'
import { NODE_20 } from './harness/programs.ts'
import { redisVersion } from './harness/redis.ts'
import { hashFolders, keyOf, readLastRun, ResultsFile } from './harness/results-file.ts'
import { endAllRoles } from './harness/role.ts'
import { runOne, type Servers } from './harness/run-one.ts'
import { OwnServers } from './harness/servers.ts'
import { SCALES } from './harness/scale.ts'
import type { BenchmarkContext, Measurement } from './results.ts'
import { writeReport } from './report/index.ts'
import { ALL_SCENARIOS } from './scenarios/index.ts'

// `npm run bench`: makes every run that was asked for, and the report. See harness/options.ts for what it can be told.

const root = path.resolve(import.meta.dirname, '..')
const build = path.join(root, 'build/bench')

/** The exit code of what Ctrl-C ended. */
const INTERRUPTED = 130

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args)
    if (options.help) {
      console.log(HELP)
      return 0
    }
    return await benchmark(options)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(error.message)
    return 2
  }
}

async function benchmark(options: Options): Promise<number> {
  const redis = redisVersion()
  const contenders = await loadContenders(options, redis)
  const scale = SCALES[options.scale]
  const plan = planRuns(ALL_SCENARIOS, contenders, { ...options, scale })
  if (plan.length === 0) throw new UsageError('None of these contenders can run these scenarios.')
  const servers = await OwnServers.start()
  const interrupted = whenInterrupted()
  try {
    const { startedAt, measurements } = options.report
      ? lastRun(options)
      : await runAll(plan, options, servers, interrupted)
    if (interrupted.aborted) return INTERRUPTED
    const scenarios = ALL_SCENARIOS.filter((scenario) =>
      plan.some((run) => run.scenario === scenario),
    )
    const folder = folderOf(options)
    const postgres = servers.measured
    const parts = { options, startedAt, scenarios, contenders, postgres, redis, folder }
    report(measurements, await describeBenchmark(parts))
    return conclude(measurements)
  } finally {
    await servers.remove()
  }
}

async function loadContenders(options: Options, redis: string | undefined): Promise<Contender[]> {
  const names = Object.keys(CONTENDERS).filter((name) => options.contenders?.has(name) ?? true)
  const all = await Promise.all(names.map(loadContender))
  if (redis === undefined && all.some(({ backend }) => backend === 'redis')) {
    console.log('redis-server is not on the PATH: the contenders on Redis are left out.')
  }
  return all.filter(({ backend }) => backend !== 'redis' || redis !== undefined)
}

/** Makes the runs that are not there yet. */
async function runAll(
  plan: readonly PlannedRun[],
  options: Options,
  servers: Servers,
  interrupted: AbortSignal,
): Promise<ResultsFile> {
  const description = JSON.stringify([
    process.argv.slice(2).filter((argument) => argument !== '--fresh'),
    hashFolders(['dist', 'bench/contenders', 'bench/harness', 'bench/scenarios'], root),
  ])
  const results = new ResultsFile(fileOf(options), description, options)
  announce(plan, results.measurements)
  const scale = SCALES[options.scale]
  const ahead = plan.filter((run) => !results.has(keyOf(identify(run, options))))
  let next = 0
  const makeRuns = async (): Promise<void> => {
    for (let run = ahead[next++]; run !== undefined; run = ahead[next++]) {
      const { node } = identify(run, options)
      const measurement = { ...(await runOne(run, scale, servers)), node }
      if (interrupted.aborted) return
      results.add(measurement)
      tell(measurement, results.measurements.length, plan.length)
    }
  }
  await Promise.all(Array.from({ length: scale.atOnce }, makeRuns))
  if (interrupted.aborted) console.log('Interrupted. The same command goes on from here.')
  else results.complete()
  return results
}

/** Ends the run that is under way, of which nothing is kept, and begins no other. */
function whenInterrupted(): AbortSignal {
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Every time: a terminal sends it to all, and our parent passes it on.
    process.on(signal, () => {
      interruption.abort()
      endAllRoles()
    })
  }
  return interruption.signal
}

/** What tells the run from all others. */
function identify({ scenario, contender, repetition }: PlannedRun, options: Options) {
  return {
    scenario: scenario.name,
    contender: contender.name,
    repetition,
    sizes: scenario.sizes[options.scale],
    node: contender.node === undefined ? process.versions.node : NODE_20,
  }
}

function lastRun(options: Options): { startedAt: string; measurements: readonly Measurement[] } {
  const last = readLastRun(fileOf(options))
  if (last === undefined)
    throw new UsageError('There is no run yet of which a report could be written.')
  return last
}

function report(measurements: readonly Measurement[], context: BenchmarkContext): void {
  mkdirSync(context.folder, { recursive: true })
  console.log(
    `\nThe report is in ${path.relative(process.cwd(), writeReport(measurements, context))}`,
  )
}

/** Each kind of run has its own results: a quick or a narrowed one never ends the interrupted full one. */
function nameOf({ scale, scenarios, contenders }: Options): string {
  return scenarios === undefined && contenders === undefined ? scale : `${scale}-only`
}

function fileOf(options: Options): string {
  const name = nameOf(options)
  return path.join(build, name === 'full' ? 'results.json' : `results-${name}.json`)
}

/** Only a whole run at full scale is published. */
function folderOf(options: Options): string {
  const name = nameOf(options)
  return name === 'full' ? path.join(root, 'docs') : path.join(build, `report-${name}`)
}
