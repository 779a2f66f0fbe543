import { cpSync, mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { inject } from 'vitest'
import { LATEST_VERSION } from '../../src/migrations/all.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** What a next release could bring: a change of the schema on which the release before goes on working. */
const NEXT_MIGRATION = {
  version: LATEST_VERSION + 1,
  name: 'next',
  oldestCode: 1,
  up: [
    'alter table {schema}.jobs add column next_column int',
    'create index next_index on {schema}.history (queue_id, finished_at)',
    'create table {schema}.next_table (id int primary key)',
  ],
  down: [
    'drop table {schema}.next_table',
    'drop index {schema}.next_index',
    'alter table {schema}.jobs drop column next_column',
  ],
}

/** A build of that release: this one's with one more migration. Answers its folder. */
export function buildNextRelease(): string {
  const folder = mkdtempSync(path.join(inject('scratchFolder'), 'next-'))
  for (const name of ['dist', 'src', 'test/support/children'])
    cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true })
  cpSync(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'))
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'))
  const all = path.join(folder, 'dist/migrations/all.js')
  renameSync(all, path.join(folder, 'dist/migrations/all-before.js'))
  writeFileSync(
    all,
    `import { migrations as before } from './all-before.js'
export const migrations = [...before, ${JSON.stringify(NEXT_MIGRATION)}]
export const LATEST_VERSION = migrations.length
`,
  )
  return folder
}

/** The script of a worker of that release. */
export function workerOf(release: string): string {
  return path.join(release, 'test/support/children/worker.mjs')
}
