import * as fs from 'node:fs'
import * as path from 'node:path'

/** A program where Debian and others install it; undefined without it, and then what needs it is skipped. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, name))
    .find((file) => fs.existsSync(file))
}
