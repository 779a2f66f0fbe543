import { access, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** Where the data of an embedded database lies, within the folder that the user named. */
export interface DataFolder {
  readonly path: string
  /** To be called once PGlite has opened it: from now on its contents are kept. */
  markComplete(): Promise<void>
}

/**
 * Finds or prepares the data folder; only whoever holds the folder's lock may call this.
 *
 * The data lies in a folder of its own, `data`, because PGlite makes a database only in an empty one. A process that
 * is killed while PGlite makes it (some seconds) leaves half of it, which looks whole to the next; so a marker file
 * stands beside it until it is complete, and what the marker calls unfinished is made anew.
 */
export async function prepareDataFolder(folder: string): Promise<DataFolder> {
  // A folder that PGlite made itself, before Millrace came, is taken as it is.
  if (await exists(path.join(folder, 'PG_VERSION'))) {
    return { path: folder, markComplete: async () => {} }
  }
  const data = path.join(folder, 'data')
  const marker = path.join(folder, 'data.unfinished')
  if (await exists(marker)) await rm(data, { recursive: true, force: true })
  if (await exists(path.join(data, 'PG_VERSION'))) {
    return { path: data, markComplete: async () => {} }
  }
  await writeFile(
    marker,
    'The database in `data` is being made. If nobody is making it, it is made anew.\n',
  )
  return { path: data, markComplete: () => rm(marker, { force: true }) }
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch {
    return false
  }
}
