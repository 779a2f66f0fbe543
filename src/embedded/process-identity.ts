import { readFileSync, readlinkSync } from 'node:fs'
import os from 'node:os'

/** Who a process is, in words that stay true after its number was given to another. */
export interface ProcessIdentity {
  pid: number
  /** When the process started, in the kernel's ticks since boot; null where the system does not say. */
  startedAt: string | null
  /** Where its number means anything: the machine, its boot, and the container. */
  place: string
}

/** This process. */
export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, startedAt: startOf(process.pid) ?? null, place: thisPlace() }
}

/** What can be said about whether a process lives: from another container or machine, nothing. */
export function isAlive(other: ProcessIdentity): boolean | 'unknown' {
  if (other.place !== thisPlace()) return 'unknown'
  if (!hasProcess(other.pid)) return false
  const start = startOf(other.pid)
  if (start === undefined || other.startedAt === null) return true
  return start === other.startedAt // another start: its number was given to somebody else
}

function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM' // somebody else's process
  }
}

/** The process's start, `'ended'` for one that only waits to be buried, undefined where there is no /proc. */
function startOf(pid: number): string | undefined {
  const stat = readOr(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  if (stat === undefined) return undefined
  // The second field is the program's name in parentheses, which may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state] = fields
  return state === 'Z' || state === 'X' ? 'ended' : fields[19]
}

function thisPlace(): string {
  const boot = readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
  const container = readOr(() => readlinkSync('/proc/self/ns/pid'))
  return [os.hostname(), boot, container].filter((part) => part !== undefined).join(' ')
}

function readOr(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
