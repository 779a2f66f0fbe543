import type { Contender } from '../contender.ts'

/**
 * Every contender by name, in the order of the report. Loaded at need, so that a process holds no library but the one
 * that it measures, and so that the time from import to first job can be measured.
 */
export const CONTENDERS: Readonly<Record<string, () => Promise<Contender>>> = {
  millrace: async () => (await import('./millrace.ts')).millrace,
  'millrace-node20': async () => (await import('./millrace.ts')).millraceNode20,
  'millrace-pglite': async () => (await import('./millrace-pglite.ts')).millracePglite,
  ceiling: async () => (await import('./ceiling.ts')).ceiling,
  'ceiling-notify': async () => (await import('./ceiling.ts')).ceilingNotify,
  'pg-boss': async () => (await import('./pg-boss.ts')).pgBoss,
  'pg-boss-best': async () => (await import('./pg-boss.ts')).pgBossBest,
  'pg-boss-notify': async () => (await import('./pg-boss.ts')).pgBossNotify,
  'graphile-worker': async () => (await import('./graphile-worker.ts')).graphileWorker,
  'graphile-worker-best': async () => (await import('./graphile-worker.ts')).graphileWorkerBest,
  'bullmq-postgres': async () => (await import('./bullmq-postgres.ts')).bullmqPostgres,
  'bullmq-postgres-best': async () => (await import('./bullmq-postgres.ts')).bullmqPostgresBest,
  'bullmq-redis': async () => (await import('./bullmq-redis.ts')).bullmqRedis,
  'bullmq-redis-best': async () => (await import('./bullmq-redis.ts')).bullmqRedisBest,
}

/** Loads one contender. Throws for a name that is none. */
export async function loadContender(name: string): Promise<Contender> {
  const load = CONTENDERS[name]
  if (load === undefined) {
    throw new Error(
      `No contender is named ${name}. There are: ${Object.keys(CONTENDERS).join(', ')}.`,
    )
  }
  return load()
}
