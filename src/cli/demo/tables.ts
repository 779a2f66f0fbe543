import { migrateUp } from '../../index.ts'
import type { DemoDatabase } from './database.ts'

/**
 * The demo's own tables, as an application has them beside Millrace's: the result of each job, and a row that
 * says what is being indexed, by which an interrupted run is found again.
 */
const TABLES = `
create schema if not exists millrace_demo;

create table if not exists millrace_demo.runs (
  id int4 generated always as identity primary key,
  folder text not null,
  jobs int4 not null,
  started_at timestamptz not null default now(),
  ended_at timestamptz
);

create table if not exists millrace_demo.files (
  -- A file that was indexed twice would be an error here. It never is.
  path text primary key,
  kind text not null,
  bytes int4 not null,
  gzip_bytes int4 not null,
  lines int4,
  sha256 text not null,
  took_ms float8 not null
);
`

/** Makes what is missing, for Millrace and for the demo. Costs next to nothing when it is all there. */
export async function makeTables(db: DemoDatabase): Promise<void> {
  await migrateUp(db.connection, { schema: db.schema })
  // One at a time: two processes that make the same schema at once would be in each other's way.
  await db.transaction(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(hashtext('millrace_demo'))`)
    await tx.query(TABLES)
  })
}
