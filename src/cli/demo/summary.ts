import path from 'node:path'
import { Querier, type JobRecord } from '../../index.ts'
import type { DemoDatabase } from './database.ts'
import { DEAD_LETTERS, type FileJob } from './indexing.ts'
import type { Run } from './run.ts'

const TOP = 5

/** A kind of file, over all files of it. */
export interface KindRow {
  readonly kind: string
  readonly files: number
  readonly bytes: number
  readonly gzipBytes: number
  /** Null where no file of the kind is text. */
  readonly lines: number | null
}

/** A file that stands out. */
export interface FileRow {
  readonly path: string
  readonly bytes: number
  readonly lines: number | null
}

/** How long it took to read a file, hash it and compress it. */
export interface Times {
  readonly medianMs: number
  readonly slowestMs: number
  readonly slowestPath: string
}

/** What a run found. */
export interface Summary {
  readonly kinds: readonly KindRow[]
  readonly largest: readonly FileRow[]
  /** Undefined when no file was indexed. */
  readonly times: Times | undefined
  /** Files whose contents some earlier file has too. */
  readonly copies: { readonly files: number; readonly bytes: number }
  readonly deadLetters: readonly JobRecord<FileJob>[]
  readonly deadLetterCount: number
  readonly databaseBytes: number
}

/** Asks the database what the run found: all of it lies in tables, for anybody's SQL. */
export async function summarise(db: DemoDatabase, run: Run): Promise<Summary> {
  const select = async <T>(sql: string): Promise<T[]> => (await db.query(sql)).rows as T[]
  const querier = new Querier(db.connection, { schema: db.schema })
  const [copies] = await select<Summary['copies']>(COPIES)
  const [size] = await select<{ bytes: number }>(DATABASE_SIZE)
  const [times] = await select<Times>(TIMES)
  const largest = await select<FileRow>(LARGEST)
  const nameOf = (file: string): string => path.relative(run.folder, file)
  return {
    kinds: await select<KindRow>(KINDS),
    largest: largest.map((file) => ({ ...file, path: nameOf(file.path) })),
    times: times && { ...times, slowestPath: nameOf(times.slowestPath) },
    copies: copies ?? { files: 0, bytes: 0 },
    deadLetters: await querier.list<FileJob>(DEAD_LETTERS, { limit: TOP, status: 'available' }),
    deadLetterCount: (await querier.counts(DEAD_LETTERS)).available,
    databaseBytes: size?.bytes ?? 0,
  }
}

const KINDS = `
select
  kind,
  count(*)::int4 as "files",
  sum(bytes)::float8 as "bytes",
  sum(gzip_bytes)::float8 as "gzipBytes",
  sum(lines)::float8 as "lines"
from millrace_demo.files
group by kind
order by sum(bytes) desc, kind`

const LARGEST = `
select path, bytes, lines
from millrace_demo.files
order by bytes desc, path
limit ${TOP}`

const TIMES = `
select
  (select percentile_cont(0.5) within group (order by took_ms) from millrace_demo.files) as "medianMs",
  took_ms as "slowestMs",
  path as "slowestPath"
from millrace_demo.files
order by took_ms desc, path
limit 1`

const COPIES = `
select
  coalesce(sum(files - 1), 0)::int4 as "files",
  coalesce(sum((files - 1) * bytes), 0)::float8 as "bytes"
from (
  select count(*) as files, max(bytes) as bytes
  from millrace_demo.files
  where bytes > 0
  group by sha256
) as contents`

const DATABASE_SIZE = `select pg_database_size(current_database())::float8 as "bytes"`
