import { createPostgresBackend, Queue, runMigrations, Worker } from 'bullmq'
import type { Contender } from '../contender.ts'
import {
  DEFAULTS,
  describeBullmq,
  JOB,
  openBullmq,
  QUEUE,
  type BullmqStore,
  type BullmqTuning,
} from './bullmq.ts'
import { withClient } from './database.ts'
import { installedVersion } from './installed-version.ts'

/** The fastest that we found among what the documentation offers, see docs/benchmarks.md. */
export const BULLMQ_POSTGRES_BEST: BullmqTuning = {
  concurrency: 25,
  addBulk: { size: 1000, atOnce: 2 },
}

const COMMON = {
  library: 'bullmq',
  version: installedVersion('bullmq'),
  backend: 'postgres',
  // No 'transactions': a job is added on a connection of BullMQ's own.
  abilities: new Set([
    'bulk',
    'keep',
    'discard',
    'fifo',
    'retries',
    'priorities',
    'processes',
    'postgres',
  ] as const),
} satisfies Partial<Contender>

/** BullMQ on its PostgreSQL backend. */
export const bullmqPostgres: Contender = {
  ...COMMON,
  name: 'bullmq-postgres',
  tuning: 'defaults',
  settings: describeBullmq(DEFAULTS),
  open: async (url, needs) => openBullmq(postgresStore(url), needs, DEFAULTS),
}

/** BullMQ on its PostgreSQL backend, at the fastest of its documented settings. */
export const bullmqPostgresBest: Contender = {
  ...COMMON,
  name: 'bullmq-postgres-best',
  tuning: 'best',
  settings: describeBullmq(BULLMQ_POSTGRES_BEST),
  open: async (url, needs) => openBullmq(postgresStore(url), needs, BULLMQ_POSTGRES_BEST),
}

/** Where the jobs are; also for trying other settings. */
export function postgresStore(url: string): BullmqStore {
  return {
    makeQueue: (name, defaultJobOptions) =>
      reporting(new Queue(name, { connection: url, defaultJobOptions }, createPostgresBackend)),
    makeWorker: (name, processor, options) =>
      reporting(
        new Worker(name, processor, { connection: url, ...options }, createPostgresBackend),
      ),
    prepare: async () => withClient(url, async (client) => void (await runMigrations(client))),
    fillHistory: async (count) =>
      withClient(
        url,
        async (client) => void (await client.query(FILL_HISTORY, [QUEUE, JOB, count])),
      ),
  }
}

function reporting<T extends { on(event: 'error', listener: (error: Error) => void): unknown }>(
  source: T,
): T {
  source.on('error', (error) => console.error('bullmq:', error))
  return source
}

/** Columns that are not named here have the same default as in a job that was added and completed. */
const FILL_HISTORY = `
insert into bullmq.job (queue, id, seq, name, state, data, opts, return_value,
  attempts_made, attempts_started, added_at_ms, processed_at_ms, finished_at_ms)
select $1::text, 'history-' || n, nextval('bullmq.job_seq'), $2::text, 'completed',
  jsonb_build_object('n', n, 'text', 'history'), '{"attempts": 0}', 'null',
  1, 1, moment.ms, moment.ms, moment.ms
from generate_series(1, $3::bigint) n,
  (select (extract(epoch from now() - interval '1 hour') * 1000)::bigint as ms) moment`
