import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { npm } from '../support/npm.ts'
import { root } from './tarball.ts'

/** A program that runs JavaScript. */
export interface Runtime {
  readonly name: string
  /** Null where there is none for this machine. */
  readonly program: string | null
}

/** The oldest Node that the package is for, those after it, and Bun. The registry has them all as packages. */
const WANTED = [
  { name: 'Node', version: '20.19.0' },
  { name: 'Node', version: '22.23.3' },
  { name: 'Node', version: '24.21.0' },
  { name: 'Bun', version: '1.4.5' },
] as const

/** They are large, so they are kept from run to run. */
const CACHE = path.join(root, 'build/runtimes')

/** Finds the runtimes, and fetches those that are not here yet. One that cannot be had is said and left out. */
export function findRuntimes(): Runtime[] {
  return WANTED.map(({ name, version }) => {
    const full = `${name} ${version}`
    try {
      return { name: full, program: findRuntime(name, version) }
    } catch (error) {
      const [reason] = String(error instanceof Error ? error.message : error).split('\n')
      console.warn(`${full} cannot be had on this machine and is left out: ${reason}`)
      return { name: full, program: null }
    }
  })
}

function findRuntime(name: 'Node' | 'Bun', version: string): string {
  const folder = path.join(CACHE, `${name}-${version}-${process.platform}-${process.arch}`)
  const windows = process.platform === 'win32' ? '.exe' : ''
  const program = path.join(folder, `node_modules/runtime/bin/${name.toLowerCase()}${windows}`)
  if (!existsSync(program)) fetchRuntime(folder, packageOf(name), version)
  const answer = execFileSync(program, ['--version'], { encoding: 'utf8', timeout: 30_000 }).trim()
  if (answer.replace('v', '') !== version) throw new Error(`it says that it is ${answer}`)
  return program
}

function packageOf(name: 'Node' | 'Bun'): string {
  const { platform, arch } = process
  if (name === 'Node') return `node-${platform === 'win32' ? 'win' : platform}-${arch}`
  const system = platform === 'win32' ? 'windows' : platform
  return `@oven/bun-${system}-${arch === 'arm64' ? 'aarch64' : arch}`
}

function fetchRuntime(folder: string, name: string, version: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
  // The names are not the same everywhere, what is in the folder is.
  const runtime = `runtime@npm:${name}@${version}`
  npm(
    ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', runtime],
    folder,
  )
}
