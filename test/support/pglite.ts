import { mkdirSync, renameSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { inject } from 'vitest'
import { EmbeddedDatabase } from '../../src/embedded/embedded-database.ts'

/**
 * A new, empty PGlite in memory. The first one of a run costs 3 s and leaves its data folder as a
 * template, with which the next ones, in other files too, take 0.6 s.
 */
export async function createPGlite(): Promise<PGlite> {
  const folder = inject('scratchFolder')
  const template = path.join(folder, 'pglite.tar')
  const loadDataDir = await readFile(template).catch(() => undefined)
  if (loadDataDir !== undefined) return PGlite.create({ loadDataDir: new Blob([loadDataDir]) })
  const pglite = await PGlite.create()
  const dump = await pglite.dumpDataDir('none')
  // Under another name first: no other process may see half of it.
  const half = `${template}.${process.pid}`
  mkdirSync(folder, { recursive: true })
  await writeFile(half, Buffer.from(await dump.arrayBuffer()))
  renameSync(half, template)
  return pglite
}

/** As `openEmbedded()` in memory, from the template. */
export async function createEmbedded(): Promise<EmbeddedDatabase> {
  return new EmbeddedDatabase(await createPGlite(), undefined, undefined)
}
