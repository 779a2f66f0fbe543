import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { TestProject } from 'vitest/node'
import { npm } from '../support/npm.ts'
import { makeOwnFolder } from '../support/postgres-leftovers.ts'
import { findRuntimes, type Runtime } from './runtimes.ts'
import { packInto, root, type Tarball } from './tarball.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    tarball: Tarball
    /** A folder in which the package is installed, and nothing else. */
    bareFolder: string
    /** A folder in which the package is installed with its optional peers and the types of Node and pg. */
    fullFolder: string
    runtimes: Runtime[]
  }
}

/** Installs the package from its tarball, as somebody does who has never seen this repository. */
export function setup(project: TestProject): () => void {
  const folder = makeOwnFolder()
  const tarball = packInto(path.join(folder, 'tarball'))
  project.provide('tarball', tarball)
  project.provide('bareFolder', install(path.join(folder, 'bare'), tarball.file))
  const peers = ['@electric-sql/pglite', '@opentelemetry/api', '@types/node', '@types/pg']
  const packages = [tarball.file, ...peers.map(asTestedHere)]
  project.provide('fullFolder', install(path.join(folder, 'full'), ...packages))
  project.provide('runtimes', findRuntimes())
  return () => rmSync(folder, { recursive: true, force: true })
}

function install(folder: string, ...packages: string[]): string {
  mkdirSync(folder)
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  npm(
    ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...packages],
    folder,
  )
  return folder
}

function asTestedHere(name: string): string {
  const { devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }
  return `${name}@${devDependencies[name]}`
}
