import { JobQueue, type Logger } from '../../index.ts'
import { analyse } from './analyse.ts'
import type { DemoDatabase } from './database.ts'

/** The queue of the demo, and where its jobs go that fail for good. */
export const QUEUE = 'demo-files'
export const DEAD_LETTERS = 'demo-files-dead'

/** What a job carries: the file to be indexed. */
export interface FileJob {
  readonly path: string
}

/** How often a file is tried again, soon, as somebody is watching. */
export const RETRIES = 3

const INSERT_FILE = `
insert into millrace_demo.files (path, kind, bytes, gzip_bytes, lines, sha256, took_ms)
values ($1, $2, $3, $4, $5, $6, $7)`

/**
 * The queue and its worker: the part of the demo that would stand in an application.
 *
 * A job runs at least once: a process may be killed after the work and before it could say so. What it does in
 * the same database can still happen exactly once, because `context.complete` settles the job inside the
 * transaction that writes the row. Either both are there or neither is, and then the job runs again.
 */
export function openQueue(db: DemoDatabase, logger?: Logger): JobQueue<FileJob> {
  return new JobQueue<FileJob>(
    db.connection,
    async (job, context) => {
      const { path } = job.args
      const began = performance.now()
      const facts = await analyse(path, context.signal)
      const { kind, bytes, gzipBytes, lines, sha256 } = facts
      const tookMs = performance.now() - began
      await db.transaction(async (tx) => {
        await tx.query(INSERT_FILE, [path, kind, bytes, gzipBytes, lines, sha256, tookMs])
        await context.complete(tx)
      })
    },
    {
      queueName: QUEUE,
      schema: db.schema,
      dlq: DEAD_LETTERS,
      baseRetryDelay: '250ms', // then 500 ms and 1 s
      keepFinished: '1h', // what matters of a finished job is in millrace_demo.files
      logger,
    },
  )
}
