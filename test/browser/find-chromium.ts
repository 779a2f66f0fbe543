import { accessSync, constants } from 'node:fs'
import path from 'node:path'

const NAMES = ['chromium', 'google-chrome']

/**
 * The browser in which pages are tested: what MILLRACE_CHROMIUM names, else Chromium or Chrome on the PATH. Undefined
 * where there is none, and then its tests are skipped.
 */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env['MILLRACE_CHROMIUM']
  if (named !== undefined && named !== '') {
    if (isProgram(named)) return named
    throw new Error(`MILLRACE_CHROMIUM names ${named}, which is no program.`)
  }
  const folders = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '')
  return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(isProgram)
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
