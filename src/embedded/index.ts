import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { MillraceError } from '../core/errors.ts'
import { show, showDetail } from '../core/show.ts'
import type { PGliteInstance } from '../drivers/pglite-shapes.ts'
import { prepareDataFolder } from './data-folder.ts'
import { type DirectoryLock, lockDirectory } from './directory-lock.ts'
import { EmbeddedDatabase } from './embedded-database.ts'

export type { EmbeddedDatabase } from './embedded-database.ts'

/**
 * Opens the embedded database: PGlite, a PostgreSQL in this process, as a `DB`.
 *
 * A directory is made when it is missing, and belongs to one process: while it is open, another `openEmbedded` on it
 * rejects with `EMBEDDED_IN_USE` and the owner's pid. A process that was killed leaves nothing behind
 * that would keep the next one out. Without `@electric-sql/pglite` installed it rejects with `EMBEDDED_MISSING`.
 *
 * @param directory where the data is kept; without it in memory, gone when the process ends
 */
export async function openEmbedded(directory?: string): Promise<EmbeddedDatabase> {
  const folder = resolveFolder(directory)
  const PGlite = await loadPGlite()
  if (folder === undefined) return new EmbeddedDatabase(await PGlite.create(), undefined, undefined)
  await mkdir(folder, { recursive: true })
  const lock = await lockDirectory(folder)
  return releasingOnFailure(lock, async () => {
    const data = await prepareDataFolder(folder)
    const pglite = await PGlite.create(data.path)
    await data.markComplete()
    return new EmbeddedDatabase(pglite, folder, lock)
  })
}

function resolveFolder(directory: unknown): string | undefined {
  if (directory === undefined) return undefined
  if (typeof directory !== 'string' || directory.trim() === '' || directory.includes('\0')) {
    throw invalidDirectory(
      directory,
      'Pass the path of a folder, or nothing for a database in memory.',
    )
  }
  if (/^[a-z0-9-]+:\/\//i.test(directory)) {
    throw invalidDirectory(directory, 'Pass a plain path, or nothing for a database in memory.')
  }
  return path.resolve(directory)
}

function invalidDirectory(value: unknown, remedy: string): MillraceError {
  return new MillraceError(
    'INVALID_OPTION',
    { option: 'directory', value: showDetail(value) },
    { message: `The directory of openEmbedded cannot be ${show(value)}. ${remedy}` },
  )
}

/** The part of PGlite's class that is used here. */
interface PGliteClass {
  create(dataDir?: string): Promise<PGliteInstance>
}

/** Loaded at the first use, as most who install Millrace have no use for it. */
async function loadPGlite(): Promise<PGliteClass> {
  try {
    const { PGlite } = await import('@electric-sql/pglite')
    return PGlite
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new MillraceError('EMBEDDED_MISSING', {}, { cause: error })
  }
}

/** Missing is the package itself; a file that it fails to find is its own error. */
function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes("'@electric-sql/pglite'")
}

async function releasingOnFailure<T>(lock: DirectoryLock, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    await lock.release()
    throw error
  }
}
