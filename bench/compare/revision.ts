import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { UsageError } from '../harness/options.ts'

/** A revision of Millrace, built in a git worktree of its own. */
export interface BuiltRevision {
  /** As `2b813d9 Let jobs watch outlive the database`. */
  readonly title: string
  readonly dist: string
  /** Removes the worktree. */
  remove(): void
}

/** What a lock file of npm says of its packages. */
export interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

interface LockedPackage {
  readonly version?: string
  readonly optional?: boolean
}

const MODULES = 'node_modules'

/** Builds a revision of the repository at `root`. Throws a `UsageError` when git knows none of that name. */
export function buildRevision(root: string, revision: string): BuiltRevision {
  const title = titleOf(root, revision)
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-compare-'))
  const remove = (): void => {
    rmSync(path.join(folder, MODULES), { recursive: true, force: true }) // a link: not what it leads to
    git(root, 'worktree', 'remove', '--force', folder)
  }
  git(root, 'worktree', 'add', '--quiet', '--detach', folder, revision)
  try {
    installDependencies(root, folder)
    build(folder)
  } catch (error) {
    remove()
    throw error
  }
  return { title, dist: path.join(folder, 'dist'), remove }
}

/** Builds what is in a checkout, in its `dist`. */
export function build(folder: string): void {
  npm(folder, 'run', '--silent', 'build')
}

/** Whether all that `wanted` asks for is installed in its very version; more does no harm. */
export function hasAll(installed: Lock, wanted: Lock): boolean {
  return Object.entries(wanted.packages).every(([name, { version, optional }]) => {
    if (name === '') return true // the package itself
    const found = installed.packages[name]
    // What is for another platform is not installed.
    return found === undefined ? optional === true : found.version === version
  })
}

function installDependencies(root: string, folder: string): void {
  const installed = path.join(root, MODULES, '.package-lock.json')
  const wanted = path.join(folder, 'package-lock.json')
  if (existsSync(installed) && hasAll(readLock(installed), readLock(wanted))) {
    symlinkSync(path.join(root, MODULES), path.join(folder, MODULES), 'junction')
    return
  }
  console.log('It has other dependencies: npm ci.')
  npm(folder, 'ci', '--no-audit', '--no-fund', '--loglevel=error')
}

function readLock(file: string): Lock {
  return JSON.parse(readFileSync(file, 'utf8')) as Lock
}

function titleOf(root: string, revision: string): string {
  const args = ['log', '-1', '--format=%h %s', '--end-of-options', `${revision}^{commit}`]
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new UsageError(`git knows no revision ${revision}: ${stderr.trim()}`)
  return stdout.trim()
}

function git(root: string, ...args: string[]): void {
  execFileSync('git', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** What `npm run` tells its children of this package would lead them back to it. */
function npm(folder: string, ...args: string[]): void {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)),
  )
  execFileSync('npm', args, { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] })
}
