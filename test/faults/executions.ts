import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** One run of a handler, as the process wrote it down that it ran in. Times are milliseconds since 1970. */
export interface Execution {
  readonly jobId: string
  readonly attempt: number
  readonly pid: number
  readonly startedAt: number
  /** Undefined: the process did not live to see it. */
  readonly endedAt: number | undefined
}

/**
 * Reads what handlers wrote down: a file for each process, two lines for each run. Files and no table, so that no fault
 * of the database, whose doings are in question, can touch them.
 */
export function readExecutions(folder: string): Execution[] {
  return readFiles(folder)
    .flatMap(([name, text]) => parseExecutions(text, Number.parseInt(name)))
    .sort((left, right) => left.startedAt - right.startedAt)
}

/** How many runs have begun, or ended, so far: quicker than reading them. */
export function countExecutions(folder: string, what: 'start' | 'end'): number {
  return readFiles(folder).reduce((sum, [, text]) => sum + text.split(` ${what} `).length - 1, 0)
}

function readFiles(folder: string): [name: string, text: string][] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.runs'))
  return files.map((name) => [name, readFileSync(path.join(folder, name), 'latin1')])
}

/** Reads the lines of one process, `<time> start|end <job id> <attempt>`. */
export function parseExecutions(text: string, pid: number): Execution[] {
  const executions: Execution[] = []
  const open = new Map<string, number>()
  // A process that was killed while it wrote leaves half a line.
  for (const line of text.split('\n').slice(0, -1)) {
    const [at, what, jobId = '', attempt] = line.split(' ')
    const key = `${jobId} ${attempt}`
    if (what === 'start') {
      open.set(key, executions.length)
      const startedAt = Number(at)
      executions.push({ jobId, attempt: Number(attempt), pid, startedAt, endedAt: undefined })
      continue
    }
    const index = open.get(key) ?? -1
    const execution = executions[index]
    if (execution !== undefined) executions[index] = { ...execution, endedAt: Number(at) }
    open.delete(key)
  }
  return executions
}
