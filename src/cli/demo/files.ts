import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { codeOf, describeFileError, Failure } from '../failure.ts'

/** Nobody wants to see these indexed, and the database of the demo changes under our hands. */
const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(['.git', '.millrace'])

/** What is looked for. */
export interface Wanted {
  readonly limit: number
  readonly belowBytes: number
}

/** What was found in a folder. */
export interface FoundFiles {
  /** Absolute paths, in the order of their names. */
  readonly paths: readonly string[]
  readonly bytes: number
  /** There are more files than were wanted. */
  readonly isCut: boolean
}

/** Throws a `Failure` where there is no folder that we may read. */
export async function checkFolder(folder: string): Promise<void> {
  try {
    await readdir(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') {
      throw new Failure(`${folder} is a file: name the folder that it is in.`)
    }
    throw new Failure(`The folder ${folder} ${describeFileError(error)}.`)
  }
}

/** Finds the first files of a folder and its subfolders. Links are not followed. */
export async function findFiles(folder: string, wanted: Wanted): Promise<FoundFiles> {
  const paths: string[] = []
  let bytes = 0
  for await (const file of walk(folder)) {
    const size = await sizeOf(file)
    if (size === undefined || size >= wanted.belowBytes) continue
    if (paths.length === wanted.limit) return { paths, bytes, isCut: true }
    paths.push(file)
    bytes += size
  }
  return { paths, bytes, isCut: false }
}

async function* walk(folder: string): AsyncGenerator<string> {
  for (const entry of await entriesOf(folder)) {
    const entryPath = path.join(folder, entry.name)
    if (entry.isFile()) yield entryPath
    else if (entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name)) yield* walk(entryPath)
  }
}

/** In the order of their names, so that the first files are the same ones each time. */
async function entriesOf(folder: string) {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.sort((left, right) => (left.name < right.name ? -1 : 1))
  } catch {
    return [] // A subfolder that is closed to us or gone: the others are worth indexing all the same.
  }
}

/** Undefined when the file went away meanwhile. */
async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size
  } catch {
    return undefined
  }
}
