import { execFileSync } from 'node:child_process'

/** Runs npm in a folder and answers what it printed; throws with that when it fails. */
export function npm(args: readonly string[], folder: string): string {
  // npm itself by its path: on Windows `npm` is no program, and a shell would have to quote.
  const cli = process.env['npm_execpath']
  const [program, first] = cli === undefined ? ['npm', []] : [process.execPath, [cli]]
  return execFileSync(program, [...first, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: withoutThisPackage(process.env),
  })
}

/** What `npm test` tells its children of this package would lead them back to it. */
function withoutThisPackage(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const entries = Object.entries(env).filter(
    ([name]) => !/^npm_(package|lifecycle)_|^npm_config_(local_)?prefix$/i.test(name),
  )
  return Object.fromEntries(entries)
}
