import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { Querier, type DBTX, type JobQueue } from '../../index.ts'
import type { DemoDatabase } from './database.ts'
import { DEAD_LETTERS, QUEUE, RETRIES, type FileJob } from './indexing.ts'

const PAGE = 1_000

/** One indexing of a folder, from the first `npm run demo` to the one that sees its end. */
export interface Run {
  readonly id: number
  readonly folder: string
  /** One for each file, and one for a file that is not there. */
  readonly jobs: number
}

/** How far a run has come, over all processes that work on it. */
export interface Standing {
  readonly indexed: number
  readonly waiting: number
  readonly running: number
  readonly failed: number
}

/** The run that was interrupted, if there is one. */
export async function findInterruptedRun(db: DBTX): Promise<Run | undefined> {
  const { rows } = await db.query(
    'select id, folder, jobs from millrace_demo.runs where ended_at is null order by id limit 1',
  )
  return rows[0] as Run | undefined
}

/**
 * Starts a run, in one transaction: what the last one left is gone, the new one is known, its jobs are enqueued.
 * A process that is killed in the middle has done nothing at all. Undefined when another process was quicker to
 * start the same: then its run is the one to work on.
 */
export async function startRun(
  db: DemoDatabase,
  queue: JobQueue<FileJob>,
  folder: string,
  files: readonly string[],
): Promise<Run | undefined> {
  return db.transaction(async (tx) => {
    await tx.query('lock table millrace_demo.runs in share row exclusive mode')
    const other = await findInterruptedRun(tx)
    if (other?.folder === folder) return undefined
    await clearUp(db, tx)
    const lost = await makeFileToLose()
    await queue.enqueueMany(
      [
        // First in line, so that its retries are seen while the others run.
        { args: { path: lost }, priority: 0, maxRetries: RETRIES },
        ...files.map((file) => ({ args: { path: file }, maxRetries: RETRIES })),
      ],
      { tx },
    )
    await rm(path.dirname(lost), { recursive: true })
    const { rows } = await tx.query(
      'insert into millrace_demo.runs (folder, jobs) values ($1, $2) returning id, folder, jobs',
      [folder, files.length + 1],
    )
    const [run] = rows as unknown as [Run]
    return run
  })
}

/** Takes it down that nothing is left to do. */
export async function endRun(db: DemoDatabase, run: Run): Promise<void> {
  await db.query(
    'update millrace_demo.runs set ended_at = now() where id = $1 and ended_at is null',
    [run.id],
  )
}

/** How far the run has come. */
export async function readStanding(db: DemoDatabase): Promise<Standing> {
  const querier = new Querier(db.connection, { schema: db.schema })
  // The queue first: once it is empty, what follows is complete.
  const { available: waiting, running } = await querier.counts(QUEUE)
  const { rows } = await db.query('select count(*)::int4 as count from millrace_demo.files')
  const [files] = rows as { count: number }[]
  const { available: failed } = await querier.counts(DEAD_LETTERS)
  return { indexed: files?.count ?? 0, waiting, running, failed }
}

/** Whether there is nothing left to do. */
export function isOver(standing: Standing): boolean {
  return standing.waiting + standing.running === 0
}

/** A real file with a real failure ahead: it goes after its job was enqueued, and before that can run. */
async function makeFileToLose(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-demo-'))
  const file = path.join(folder, 'here-a-moment-ago.txt')
  await writeFile(file, 'This file goes before its job runs.\n')
  return file
}

/** The rows and dead letters of the last run, and the jobs of one that was given up. */
async function clearUp(db: DemoDatabase, tx: DBTX): Promise<void> {
  const querier = new Querier(db.connection, { schema: db.schema }).withTx(tx)
  for (const queueName of [QUEUE, DEAD_LETTERS]) {
    let page
    do {
      page = await querier.list(queueName, { status: 'available', limit: PAGE })
      for (const { id } of page) await querier.delete(queueName, id)
    } while (page.length === PAGE)
  }
  await tx.query('delete from millrace_demo.files')
  await tx.query('update millrace_demo.runs set ended_at = now() where ended_at is null')
}
