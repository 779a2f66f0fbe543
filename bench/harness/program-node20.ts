import path from 'node:path'
import { build } from 'esbuild'
import { findRuntimes } from '../../test/package/runtimes.ts'
import { NODE_20 } from './programs.ts'
import type { RoleProgram } from './role.ts'

const bench = path.resolve(import.meta.dirname, '..')
/** Within the folder of the contenders' packages, so that it finds them. */
const FOLDER = path.join(bench, 'node_modules/.cache/role-node20')

let made: Promise<RoleProgram> | undefined

/** Node 20 runs no TypeScript: the process is compiled for it, as it is, Millrace's built package outside. */
export async function programOnNode20(): Promise<RoleProgram> {
  made ??= make()
  return made
}

async function make(): Promise<RoleProgram> {
  const node = findNode20()
  await build({
    entryPoints: [path.join(bench, 'harness/role-main.ts')],
    outdir: FOLDER,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // Each contender stays a file of its own that is loaded at need.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
    plugins: [
      {
        name: 'millrace-outside',
        setup: (plugin) =>
          plugin.onResolve({ filter: /\/dist\// }, ({ path: file, resolveDir }) => ({
            path: path.relative(FOLDER, path.resolve(resolveDir, file)),
            external: true,
          })),
      },
    ],
  })
  return { node, script: path.join(FOLDER, 'role-main.mjs') }
}

function findNode20(): string {
  const found = findRuntimes().find(({ name }) => name === `Node ${NODE_20}`)?.program
  if (found === undefined || found === null) throw new Error(`Node ${NODE_20} cannot be had here`)
  return found
}
