import { readdirSync, readFileSync } from 'node:fs'

/** What the kernel counts in where it says "clock ticks": 100 a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

interface Times {
  readonly parent: number
  readonly own: number
  /** Of children that have ended. */
  readonly waited: number
}

/**
 * The CPU time of a server: its first process, the children that have ended, and those that live. Undefined where
 * there is no /proc.
 */
export function serverCpuSeconds(pid: number): number | undefined {
  const server = readTimes(pid)
  if (server === undefined) return undefined
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readTimes(Number(name)))
    .filter((times) => times?.parent === pid)
  const living = children.reduce((sum, times) => sum + (times?.own ?? 0) + (times?.waited ?? 0), 0)
  return (server.own + server.waited + living) / TICKS_PER_SECOND
}

function readTimes(pid: number): Times | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name (field 2) may hold spaces and brackets: count the rest from its end. Field 4 is the parent, 14 to 17 the times.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const field = (number: number): number => Number(fields[number - 3])
    return { parent: field(4), own: field(14) + field(15), waited: field(16) + field(17) }
  } catch {
    return undefined // no /proc, or it has just ended
  }
}
