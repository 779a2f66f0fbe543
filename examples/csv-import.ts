/*
 * Import of a large CSV with progress: the file is read as a stream, a thousand lines are enqueued
 * at a time, and how far that came is stored in the same transaction. So the memory stays the same
 * for any size, and an import that was killed goes on where it stopped, with no row lost or twice.
 *
 *   DATABASE_URL=postgres://localhost/test node examples/csv-import.ts [customers.csv]
 *
 * Without a file it makes one of 1,500 rows, two of them bad. A job for each row pays when a row can
 * fail by itself, as here; when rows are only copied, a job for each thousand rows is quicker.
 */
import { createReadStream, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { Discard, JobQueue, migrateUp, Querier, type EnqueueItem } from 'millrace'

interface Row {
  line: number
  fields: string[]
}

const BATCH = 1_000
const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
await migrateUp(db)
await db.query(`
  create table if not exists customers (email text primary key, name text not null);
  create table if not exists imports (file text primary key, lines_enqueued int not null default 0)`)

const quiet = { debug() {}, info() {}, warn() {}, error() {} } // bad rows are listed at the end
const rows = new JobQueue<Row>(
  db,
  async ({ args: { fields } }) => {
    const [email = '', name = ''] = fields
    if (!email.includes('@')) throw new Discard(`"${email}" is no e-mail address.`)
    // A job may run twice after a crash; a row must be the same then.
    const sql = 'insert into customers values ($1, $2) on conflict (email) do update set name = $2'
    await db.query(sql, [email, name])
  },
  { queueName: 'csv-rows', keepFinished: false, logger: quiet }, // what is imported need not be kept
)

const file = path.resolve(process.argv[2] ?? makeSample())
const enqueued = await enqueueLines(file)
await work(enqueued)
const failed = await new Querier(db).list<Row>('csv-rows', { status: 'failed', limit: 10 })
for (const { args, errors } of failed) console.log(`Line ${args.line}: ${errors[0]?.message}`)
const [count] = (await db.query<{ count: number }>('select count(*)::int from customers')).rows
console.log(`${enqueued} rows: ${count?.count} imported, ${(await rows.counts()).failed} refused`)
await db.end()

/** Answers how many rows the file has, of which those of an earlier, interrupted call are not enqueued again. */
async function enqueueLines(name: string): Promise<number> {
  await db.query('insert into imports values ($1) on conflict do nothing', [name])
  const sql = 'select lines_enqueued from imports where file = $1'
  const [start] = (await db.query<{ lines_enqueued: number }>(sql, [name])).rows
  let batch: EnqueueItem<Row>[] = []
  let line = 0
  for await (const text of createInterface({ input: createReadStream(name) })) {
    line += 1
    if (line === 1 || line <= (start?.lines_enqueued ?? 0)) continue // the header; what is in already
    batch.push({ args: { line, fields: parse(text) } })
    if (batch.length === BATCH) batch = await store(name, line, batch)
  }
  await store(name, line, batch)
  return line - 1
}

/** While this waits for the database the stream waits too: that is all the back-pressure it takes. */
async function store(name: string, line: number, batch: EnqueueItem<Row>[]): Promise<[]> {
  const tx = await db.connect()
  try {
    await tx.query('begin')
    await rows.enqueueMany(batch, { tx })
    await tx.query('update imports set lines_enqueued = $2 where file = $1', [name, line])
    await tx.query('commit')
  } catch (error) {
    await tx.query('rollback')
    throw error
  } finally {
    tx.release()
  }
  return []
}

/**
 * Works until nothing is left, and says how far it is: to `stderr`, for people. It receives rather
 * than drains, so that it also gets the rows which an earlier process held when it was killed.
 */
async function work(total: number): Promise<void> {
  const stop = new AbortController()
  const received = rows.receive({ signal: stop.signal, concurrency: 8 })
  for (let left = total; left > 0;) {
    await setTimeout(500)
    const { available, running } = await rows.counts({ estimate: true }) // the same cost for any size
    left = available + running
    console.error(`${Math.floor((100 * (total - left)) / total)} %`)
  }
  stop.abort()
  await received
}

/** Fields in quotes may hold commas and doubled quotes, but no line breaks. */
function parse(line: string): string[] {
  const fields = line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)
  return [...fields].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '')
}

function makeSample(): string {
  const lines = Array.from(
    { length: 1_500 },
    (_, n) => `c${n + 1}@example.org,"Customer, ${n + 1}"`,
  )
  lines[998] = 'not-an-address,Somebody'
  lines[1_199] = ',"No ""address"" at all"'
  const name = path.join(mkdtempSync(path.join(tmpdir(), 'csv-')), 'customers.csv')
  writeFileSync(name, ['email,name', ...lines, ''].join('\n'))
  return name
}
