import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Every folder of a run begins with this; nothing else in the temp folder does. */
const FOLDER_PREFIX = 'millrace-tests-'

/** Which process a folder belongs to. The start time tells it from a later process with the same number. */
interface Owner {
  pid: number
  started: string
  host: string
}

/**
 * The temp folder, if it will do: the path of a server's socket has to stay below 104 bytes, and
 * the user that root becomes for the server has to get there. Else `/tmp`.
 */
export function tempFolder(): string {
  const given = fs.realpathSync(os.tmpdir())
  const isShort = Buffer.byteLength(given) <= 55
  const isOpen = process.getuid?.() !== 0 || ancestorsOf(given).every(isOpenToAll)
  return (isShort && isOpen) || !fs.existsSync('/tmp') ? given : fs.realpathSync('/tmp')
}

function ancestorsOf(folder: string): string[] {
  const parent = path.dirname(folder)
  return parent === folder ? [folder] : [folder, ...ancestorsOf(parent)]
}

function isOpenToAll(folder: string): boolean {
  return (fs.statSync(folder).mode & 0o001) !== 0
}

/** Makes a folder that lives as long as this process: whatever it does not remove itself, a later run does. */
export function makeOwnFolder(): string {
  const folder = fs.mkdtempSync(path.join(tempFolder(), FOLDER_PREFIX))
  writeOwner(folder)
  return folder
}

/** Notes that the folder belongs to this process, so that a later run can see whether it was left behind. */
function writeOwner(folder: string): void {
  const owner: Owner = { pid: process.pid, started: startOf(process.pid) ?? '', host: hostName() }
  fs.writeFileSync(path.join(folder, 'owner.json'), JSON.stringify(owner))
}

/** Removes the folders of runs that were killed, and ends the servers in them. Whatever is not provably ours is left alone. */
export async function endLeftovers(): Promise<void> {
  const parent = tempFolder()
  for (const name of fs.readdirSync(parent)) {
    if (!name.startsWith(FOLDER_PREFIX)) continue
    const folder = path.join(parent, name)
    try {
      if (!isLeftBehind(folder)) continue
      await endServer(path.join(folder, 'data'))
      fs.rmSync(folder, { recursive: true, force: true })
    } catch (error) {
      // Another run may be tidying the same folder; a folder too many hurts nobody.
      console.warn(`Could not tidy ${folder}: ${String(error)}`)
    }
  }
}

function isLeftBehind(folder: string): boolean {
  const stats = fs.lstatSync(folder, { throwIfNoEntry: false })
  if (stats === undefined || !stats.isDirectory()) return false
  if (stats.uid !== (process.getuid?.() ?? stats.uid)) return false
  const file = path.join(folder, 'owner.json')
  if (!fs.existsSync(file)) return false
  const owner = JSON.parse(fs.readFileSync(file, 'utf8')) as Owner
  // In another container's process table the numbers mean other processes.
  if (owner.host !== hostName()) return false
  return startOf(owner.pid) !== owner.started
}

async function endServer(dataDir: string): Promise<void> {
  const pid = postmasterOf(dataDir)
  if (pid === undefined) return
  for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
    if (!isServerOf(pid, dataDir)) return
    process.kill(pid, signal)
    const deadline = Date.now() + 5_000
    while (isServerOf(pid, dataDir) && Date.now() < deadline) await sleep(20)
  }
}

/** The server's process by its own lock file, if the file is there and names this very folder. */
export function postmasterOf(dataDir: string): number | undefined {
  const file = path.join(dataDir, 'postmaster.pid')
  if (!fs.existsSync(file)) return undefined
  const [pid, folder] = fs.readFileSync(file, 'utf8').split('\n')
  return folder === dataDir && Number(pid) > 1 ? Number(pid) : undefined
}

/** The folder's name is random, so that a process with it after `-D` can only be the server that we started there. */
function isServerOf(pid: number, dataDir: string): boolean {
  const command = describeProcess(pid, 'command')
  return command !== undefined && command.includes(`-D ${dataDir}`)
}

/** When a process started, in whatever form the system tells it; undefined when there is no such process. */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return describeProcess(pid, 'lstart')
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name (field 2) may hold spaces and brackets: count the rest from its end. Field 22 is the start, in ticks.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function describeProcess(pid: number, column: 'command' | 'lstart'): string | undefined {
  try {
    if (process.platform === 'linux' && column === 'command') {
      const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return command === '' ? undefined : command
    }
    return execFileSync('ps', ['-ww', '-o', `${column}=`, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}

function hostName(): string {
  const namespace = '/proc/self/ns/pid'
  return `${os.hostname()} ${fs.existsSync(namespace) ? fs.readlinkSync(namespace) : ''}`
}
