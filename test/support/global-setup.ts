import { readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import type { TestProject } from 'vitest/node'
import { endLeftovers, makeOwnFolder } from './postgres-leftovers.ts'
import { startPostgres } from './postgres.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The PostgreSQL that all tests share; each test makes a schema of its own in it. */
    databaseUrl: string
    /** A folder of this run, removed after it. */
    scratchFolder: string
  }
}

/**
 * One server for the whole run: our own, or the one that MILLRACE_TEST_DATABASE_URL names. With
 * MILLRACE_TEST_KEEP=1 our own goes on after the run, for a look at the schemas of tests that
 * failed; the next run ends it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  warnOfStaleBuild()
  await endLeftovers()
  const scratch = makeOwnFolder()
  project.provide('scratchFolder', scratch)
  const given = process.env['MILLRACE_TEST_DATABASE_URL']
  const server = given === undefined || given === '' ? await startPostgres() : undefined
  project.provide('databaseUrl', server?.url ?? given ?? '')
  return async () => {
    rmSync(scratch, { recursive: true, force: true })
    if (server === undefined) return
    if (process.env['MILLRACE_TEST_KEEP'] !== '1') return server.remove()
    server.leaveRunning()
    console.log(`The server goes on until the next run: ${server.url}`)
  }
}

/** Child processes run what was built; `npm test` builds first, a bare `vitest` does not. */
function warnOfStaleBuild(): void {
  const root = path.resolve(import.meta.dirname, '../..')
  const newest = (folder: string, ending: string): number =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(ending))
      .reduce(
        (latest, name) => Math.max(latest, statSync(path.join(root, folder, name)).mtimeMs),
        0,
      )
  try {
    if (newest('src', '.ts') <= newest('dist', '.js')) return
  } catch {
    // No dist at all, or a build that runs right now.
  }
  console.warn('dist/ is older than src/: run `npm run build` before tests with child processes.')
}
