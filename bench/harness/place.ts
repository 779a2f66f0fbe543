import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Contender } from '../contender.ts'
import type { BenchDatabase, BenchPostgres, ServerUsage } from './postgres-database.ts'
import { BenchRedis } from './redis.ts'

/** Where one run keeps its jobs: empty at the start, removed at the end. */
export interface Place {
  readonly url: string
  /** Only where the backend is PostgreSQL as a server. */
  readonly database: BenchDatabase | undefined
  /** Nothing of what was written before is still to be written to disk. */
  checkpoint(): Promise<void>
  usage(): Promise<ServerUsage>
  remove(): Promise<void>
}

const NOTHING_KNOWN: ServerUsage = {
  walBytes: undefined,
  cpuSeconds: undefined,
  statements: undefined,
}

/** Makes a place for a run of this contender. */
export async function makePlace(contender: Contender, postgres: BenchPostgres): Promise<Place> {
  switch (contender.backend) {
    case 'postgres':
      return makeDatabase(postgres)
    case 'redis':
      return startRedis()
    case 'pglite':
      return makeFolder()
  }
}

async function makeDatabase(postgres: BenchPostgres): Promise<Place> {
  const database = await postgres.createDatabase()
  return {
    url: database.url,
    database,
    checkpoint: () => postgres.checkpoint(),
    usage: () => postgres.usage(database),
    remove: () => postgres.dropDatabase(database),
  }
}

async function startRedis(): Promise<Place> {
  const redis = await BenchRedis.start()
  return {
    url: redis.url,
    database: undefined,
    checkpoint: async () => {},
    usage: async () => ({ ...NOTHING_KNOWN, cpuSeconds: redis.cpuSeconds }),
    remove: () => redis.remove(),
  }
}

function makeFolder(): Place {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-bench-pglite-'))
  return {
    url: path.join(folder, 'data'),
    database: undefined,
    checkpoint: async () => {},
    usage: async () => NOTHING_KNOWN,
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  }
}
