import type { JobQueue } from '../../index.ts'
import type { Cli } from '../cli.ts'
import { Failure } from '../failure.ts'
import type { Serving } from '../serve.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { nearest, showBytes, showCount, showNumber, showTime } from '../terminal/words.ts'
import { openDashboard } from './dashboard.ts'
import { describeWhere, openDatabase, type DemoDatabase, type Where } from './database.ts'
import { checkFolder, findFiles } from './files.ts'
import { openQueue, type FileJob } from './indexing.ts'
import { Progress } from './progress.ts'
import { report, type Effort } from './report.ts'
import type { DemoRequest } from './request.ts'
import { endRun, findInterruptedRun, isOver, readStanding, startRun, type Run } from './run.ts'
import { summarise } from './summary.ts'
import { makeTables } from './tables.ts'
import { loggerFor, watchJobs, watchRun } from './watch.ts'

const WANTED = { limit: 2_000, belowBytes: 1_000_000 }
/** Some files are read and compressed while the transactions of others are under way. */
const CONCURRENCY = 8
/** On a server, the jobs of a demo that was killed are free again after this time and a few seconds. */
const LEASE = '5s'

/** Writes a line of facts: what, and then which. */
type Say = (name: string, text: string) => void

/** Indexes a folder, or goes on with what was interrupted, until all is done or somebody stops it. */
export async function indexFolder(
  request: DemoRequest,
  where: Where,
  { out, stop }: Pick<Cli, 'out' | 'stop'>,
): Promise<void> {
  const { folder } = request
  if (folder !== undefined) await checkFolder(folder)
  const { paint } = out
  const say: Say = (name, text) => out.print(`  ${paint('quiet', name.padEnd(9))} ${text}`)
  const motto = paint('quiet', '· the job queue in your PostgreSQL')
  out.print(`\n  ${paint('title', 'Millrace')} ${motto}\n`)
  say('Database', describeWhere(where)) // before it is opened, as that can take a while
  const db = await openDatabase(where)
  try {
    await makeTables(db)
    if (stop.aborted) return out.print('\n  Stopped before anything was enqueued.\n')
    const dashboard = await openDashboard(db)
    say('Dashboard', dashboard.url)
    try {
      await index(db, request, where, { out, stop, say })
      if (out.isTerminal && !stop.aborted) await stay(db, dashboard, { out, stop })
    } finally {
      await dashboard.end()
    }
  } finally {
    await db.close()
  }
}

/** What there is to see can be looked at for as long as somebody wants to, and what they send back there is run. */
async function stay(
  db: DemoDatabase,
  { url }: Serving,
  { out, stop }: Pick<Cli, 'out' | 'stop'>,
): Promise<void> {
  out.print(`  The dashboard stays at ${out.paint('title', url)} until Ctrl-C.\n`)
  const queue = openQueue(db, loggerFor(new Progress(out)))
  await queue.receive({ signal: stop, concurrency: CONCURRENCY, leaseTimeout: LEASE })
}

async function index(
  db: DemoDatabase,
  request: DemoRequest,
  where: Where,
  { out, stop, say }: Pick<Cli, 'out' | 'stop'> & { say: Say },
): Promise<void> {
  const progress = new Progress(out)
  const queue = openQueue(db, loggerFor(progress))
  const run = await resumeOrStart(db, queue, request, say)
  out.print()
  const effort = await work(db, queue, run, progress, stop)
  if (!isOver(await readStanding(db))) return sayWhatIsLeft(db, out, request)
  await endRun(db, run)
  const isEmbedded = where.place.kind === 'embedded'
  report(out, await summarise(db, run), { ...effort, isEmbedded }, request)
}

/** Without a folder, what was interrupted comes first; with another one than that, it is given up. */
async function resumeOrStart(
  db: DemoDatabase,
  queue: JobQueue<FileJob>,
  request: DemoRequest,
  say: Say,
): Promise<Run> {
  const { folder: wanted } = request
  const interrupted = await findInterruptedRun(db)
  const isWanted = wanted === undefined || wanted === interrupted?.folder
  if (interrupted !== undefined && isWanted) return resume(db, interrupted, say)
  const folder = wanted ?? request.usualFolder
  const { paths, bytes, isCut } = await findFiles(folder, WANTED)
  if (paths.length === 0) {
    throw new Failure(`There is no file under ${showBytes(WANTED.belowBytes)} in ${folder}.`)
  }
  const began = performance.now()
  const run = await startRun(db, queue, folder, paths)
  if (run === undefined) return resumeOrStart(db, queue, request, say)
  const took = showTime(performance.now() - began)
  const files = `${isCut ? 'the first ' : ''}${showCount(paths.length, 'file')}`
  say('Folder', `${nearest(folder)}: ${files}, ${showBytes(bytes)}`)
  say('Jobs', `${showNumber(run.jobs)} enqueued in one transaction in ${took}, one for each file`)
  say('', 'and one for a file that is gone by now, to see it fail')
  return run
}

async function resume(db: DemoDatabase, run: Run, say: Say): Promise<Run> {
  const { indexed, failed } = await readStanding(db)
  const done = `${showNumber(indexed + failed)} of ${showNumber(run.jobs)} are done`
  say('Folder', nearest(run.folder))
  say('Jobs', `going on: ${done}`)
  return run
}

/** Receives jobs until none is left or `stop` aborts. */
async function work(
  db: DemoDatabase,
  queue: JobQueue<FileJob>,
  run: Run,
  progress: Progress,
  stop: AbortSignal,
): Promise<Omit<Effort, 'isEmbedded'>> {
  const tally = watchJobs(queue, progress)
  const began = performance.now()
  const over = new AbortController()
  const end = (): void => over.abort()
  const signal = AbortSignal.any([stop, over.signal])
  try {
    await Promise.all([
      queue.receive({ signal, concurrency: CONCURRENCY, leaseTimeout: LEASE }).finally(end),
      watchRun(db, run, tally, progress, signal).finally(end),
    ])
  } finally {
    progress.end()
  }
  return { jobs: tally.jobs, runs: tally.runs, tookMs: performance.now() - began }
}

async function sayWhatIsLeft(
  db: DemoDatabase,
  out: Terminal,
  { command }: DemoRequest,
): Promise<void> {
  const { indexed, failed, waiting } = await readStanding(db)
  const done = `${showCount(indexed, 'file')} indexed, ${showNumber(failed)} failed`
  out.print(`\n  Stopped: ${done}; left in the database: ${showCount(waiting, 'job')}.`)
  out.print(`  Nothing is lost and nothing will be done twice. Go on: ${command}\n`)
}
