import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Cli } from '../cli.ts'

/** What was asked for, and how the demo calls itself: in a checkout it is `npm run demo`. */
export interface DemoRequest {
  /** The folder that was named; undefined: go on with the last run, or index the usual one. */
  readonly folder: string | undefined
  /** What is indexed when nobody names a folder. */
  readonly usualFolder: string
  /** What to type to go on. */
  readonly command: string
  /** The same where arguments follow it. */
  readonly commandWithArguments: string
}

/** What the command line and the environment say. */
export function readRequest(folder: string | undefined, { env, cwd }: Cli): DemoRequest {
  const isOurScript =
    env['npm_lifecycle_event'] === 'demo' && env['npm_package_name'] === 'millrace'
  // npm runs scripts in the project's folder, and says where it was called: that is where `../mine` starts.
  const startedIn = (isOurScript ? env['INIT_CWD'] : undefined) ?? cwd
  return {
    folder: folder === undefined ? undefined : path.resolve(startedIn, folder),
    usualFolder: usualFolder(cwd),
    command: isOurScript ? 'npm run demo' : 'millrace demo',
    commandWithArguments: isOurScript ? 'npm run demo --' : 'millrace demo',
  }
}

/** What everybody has who runs this: the packages of the project that we are in. */
function usualFolder(cwd: string): string {
  for (let folder = cwd; ; folder = path.dirname(folder)) {
    const packages = path.join(folder, 'node_modules')
    if (existsSync(path.join(folder, 'package.json'))) return existsSync(packages) ? packages : cwd
    if (folder === path.dirname(folder)) return cwd
  }
}
