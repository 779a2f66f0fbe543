import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Child } from '../support/child-process.ts'
import { expect, testOnOwnServer } from '../support/fixtures.ts'
import type { WorkerProcess } from '../support/workers.ts'
import { countExecutions } from './executions.ts'
import { writeEndurance, type Minute } from './endurance-report.ts'
import { IS_FULL } from './fault-test.ts'
import { Stage } from './stage.ts'

const MINUTES = Number(process.env['ENDURANCE_MINUTES'] ?? 30)
/** `npm test` plays the same in so many seconds for each minute. */
const MINUTE_MS = IS_FULL ? 60_000 : 1_500
const COUNT = IS_FULL ? MINUTES : 6
const PER_SECOND = 400
const KILL_EVERY_MS = 10_000
/** Every so often a day passes for what is in history. */
const DAY_EVERY = 5
/** From this minute on heaps have settled. */
const SETTLED = 5

const QUEUE = { baseRetryDelay: '100ms' } as const
const LINE = { queueName: 'line', fifo: true } as const

testOnOwnServer(
  'Half an hour of mixed load, kills, and a transaction that is held open',
  { timeout: COUNT * MINUTE_MS + 5 * 60_000 },
  async ({ server, queue, child, rows, events, schema, databaseUrl }) => {
    const stage = new Stage({ server, queue, child, rows, events, schema, databaseUrl })
    const { folder } = stage
    const constant = { execArgv: ['--expose-gc'] }
    const survivor = await child.receive({
      ...{ quiet: true, executions: folder, process: constant, queue: QUEUE, leaseTimeout: '5s' },
    })
    await survivor.open({ quiet: true, executions: folder, queue: LINE })
    await stage.hire(2, { queue: QUEUE, leaseTimeout: '5s' })
    const producer = child.run('producer.mjs', { execArgv: ['--expose-gc'] })
    await producer.call('start', { databaseUrl, schema, folder, perSecond: PER_SECOND })

    const minutes: Minute[] = []
    let done = 0
    const snapshot = new Client({ connectionString: databaseUrl })
    await snapshot.connect()
    for (let minute = 1; minute <= COUNT; minute += 1) {
      if (minute === Math.floor(COUNT / 3))
        await snapshot.query(`begin isolation level repeatable read; select 1`)
      if (minute === Math.floor((COUNT * 5) / 6)) await snapshot.query('commit')
      await killFor(stage, MINUTE_MS)
      if (minute % DAY_EVERY === 0) await letADayPass(stage)
      const finished = countExecutions(folder, 'end')
      minutes.push({
        minute,
        jobsPerSecond: ((finished - done) / MINUTE_MS) * 1_000,
        ...(await sizes(stage)),
        ...(await heaps(survivor, producer)),
      })
      done = finished
    }
    await producer.call('stop')
    await snapshot.end()
    await stage.untilDone(120_000)
    await survivor.stop()
    await stage.close()

    for (const id of readPromised(folder)) stage.promised.add(id)
    const verdict = stage.judge()
    if (IS_FULL) writeEndurance(minutes, verdict)
    expect(verdict.lost).toEqual([])
    expect(verdict.unexplained).toEqual([])
    expect(verdict.jobs).toBeGreaterThan((COUNT * MINUTE_MS * PER_SECOND) / 1_000 / 2)
    if (!IS_FULL) return
    const settled = minutes.slice(SETTLED)
    const [first, last] = [settled[0], settled.at(-1)]
    expect(last?.workerHeap).toBeLessThan((first?.workerHeap ?? 0) * 1.1)
    expect(last?.producerHeap).toBeLessThan((first?.producerHeap ?? 0) * 1.1)
    // Fewer are counted in a minute that ends with a process killed a moment ago.
    const mostConnections = (some: readonly Minute[]): number =>
      Math.max(...some.map(({ connections }) => connections))
    expect(mostConnections(settled.slice(-5))).toBeLessThanOrEqual(
      mostConnections(minutes.slice(0, 10)) + 1,
    )
    // A minute in which the machine is busy elsewhere is made good in the next ones.
    const mean = settled.reduce((sum, { jobsPerSecond }) => sum + jobsPerSecond, 0) / settled.length
    expect(mean).toBeGreaterThan(PER_SECOND)
    expect(settled.slice(-5).every(({ jobsPerSecond }) => jobsPerSecond > PER_SECOND)).toBe(true)
  },
)

async function killFor(stage: Stage, ms: number): Promise<void> {
  const end = performance.now() + ms
  while (performance.now() < end) {
    await sleep(Math.min(KILL_EVERY_MS, end - performance.now()))
    const worker = await stage.someWorker()
    await stage.fault(async () => {
      worker.kill('SIGKILL')
      await worker.exited
    })
  }
}

/** What is in history is two days older from now on; the retention of the next process to start drops it. */
async function letADayPass({ rows, schema }: Stage): Promise<void> {
  const [partition] = await rows(
    `select format('%I.%I', '${schema}', relname) as name from pg_class
     where oid in (select inhrelid from pg_inherits where inhparent = '{schema}.history'::regclass)
     order by pg_total_relation_size(oid) desc limit 1`,
  )
  const name = String(partition?.['name'])
  await rows(`do $$
    declare passed date := (now() at time zone 'UTC')::date - 1;
    begin
      if exists (select from pg_class where relnamespace = '"${schema}"'::regnamespace
        and relname = 'history_' || to_char(passed, 'YYYYMMDD')) then return; end if;
      lock table {schema}.history in access exclusive mode;
      alter table {schema}.history detach partition ${name};
      update ${name} set expires_at = passed + interval '1 hour';
      execute format('alter table ${name} rename to %I', 'history_' || to_char(passed, 'YYYYMMDD'));
      execute format('alter table {schema}.history attach partition {schema}.%I for values from (%L) to (%L)',
        'history_' || to_char(passed, 'YYYYMMDD'),
        to_char(passed, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(passed + 1, 'YYYY-MM-DD') || ' 00:00:00+00');
    end $$`)
}

async function sizes({
  rows,
}: Stage): Promise<Pick<Minute, 'jobsMb' | 'historyMb' | 'connections'>> {
  const [row] = await rows(`
    select
      pg_total_relation_size('{schema}.jobs')::float8 / 1e6 as jobs,
      (select coalesce(sum(pg_total_relation_size(inhrelid)), 0)::float8 / 1e6
       from pg_inherits where inhparent = '{schema}.history'::regclass) as history,
      (select count(*)::int4 from pg_stat_activity where backend_type = 'client backend') as connections`)
  return {
    jobsMb: Number(row?.['jobs']),
    historyMb: Number(row?.['history']),
    connections: Number(row?.['connections']),
  }
}

async function heaps(
  worker: WorkerProcess,
  producer: Child,
): Promise<Pick<Minute, 'workerHeap' | 'producerHeap'>> {
  return {
    workerHeap: Number(await worker.call('memory')),
    producerHeap: Number(await producer.call('memory')),
  }
}

function readPromised(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.promised'))
    .flatMap((name) => readFileSync(path.join(folder, name), 'latin1').split('\n').slice(0, -1))
}
