import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
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
import { inBatches } from './batches.ts'
import { installedVersion } from './installed-version.ts'

/** The fastest that we found among what the documentation offers, see docs/benchmarks.md. */
export const BULLMQ_REDIS_BEST: BullmqTuning = {
  concurrency: 100,
  addBulk: { size: 5000, atOnce: 2 },
}

const COMMON = {
  library: 'bullmq',
  version: installedVersion('bullmq'),
  backend: 'redis',
  abilities: new Set([
    'bulk',
    'keep',
    'discard',
    'fifo',
    'retries',
    'priorities',
    'processes',
  ] as const),
} satisfies Partial<Contender>

/** BullMQ on Redis. */
export const bullmqRedis: Contender = {
  ...COMMON,
  name: 'bullmq-redis',
  tuning: 'defaults',
  settings: { ...describeBullmq(DEFAULTS), client: `ioredis ${installedVersion('ioredis')}` },
  open: async (url, needs) => openBullmq(redisStore(url), needs, DEFAULTS),
}

/** BullMQ on Redis, at the fastest of its documented settings. */
export const bullmqRedisBest: Contender = {
  ...COMMON,
  name: 'bullmq-redis-best',
  tuning: 'best',
  settings: {
    ...describeBullmq(BULLMQ_REDIS_BEST),
    client: `ioredis ${installedVersion('ioredis')}`,
  },
  open: async (url, needs) => openBullmq(redisStore(url), needs, BULLMQ_REDIS_BEST),
}

/** Where the jobs are; also for trying other settings. */
export function redisStore(url: string): BullmqStore {
  const connection = { url }
  return {
    makeQueue: (name, defaultJobOptions) => {
      const queue = new Queue(name, { connection, defaultJobOptions })
      queue.on('error', report)
      return queue
    },
    makeWorker: (name, processor, options) => {
      const worker = new Worker(name, processor, { connection, ...options })
      worker.on('error', report)
      return worker
    },
    // A server of its own is empty, and no schema is needed.
    prepare: async () => undefined,
    fillHistory: async (count) => fillHistory(url, count),
  }
}

function report(error: Error): void {
  console.error('bullmq:', error)
}

/** The hash of each job and the sorted set of those that completed, as BullMQ leaves them. */
async function fillHistory(url: string, count: number): Promise<void> {
  const redis = new Redis(url)
  const ms = Date.now() - 3_600_000
  try {
    const numbers = Array.from({ length: count }, (_, index) => index + 1)
    await inBatches(numbers, { size: 5000, atOnce: 2 }, async (batch) => {
      const pipeline = redis.pipeline()
      for (const n of batch) {
        pipeline.hset(`bull:${QUEUE}:history-${n}`, finishedJob(n, ms))
        pipeline.zadd(`bull:${QUEUE}:completed`, ms + n / 1000, `history-${n}`)
      }
      await pipeline.exec()
    })
  } finally {
    await redis.quit()
  }
}

function finishedJob(n: number, ms: number): Record<string, string | number> {
  return {
    name: JOB,
    data: JSON.stringify({ n, text: 'history' }),
    opts: '{"attempts":0}',
    timestamp: ms,
    processedOn: ms,
    finishedOn: ms,
    delay: 0,
    priority: 0,
    ats: 1,
    atm: 1,
    returnvalue: 'null',
  }
}
