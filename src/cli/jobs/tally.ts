import type { JobRecord } from '../../core/job.ts'
import type { Cli } from '../cli.ts'
import { EXIT } from '../failure.ts'
import { printable } from '../terminal/printable.ts'
import { showNumber } from '../terminal/words.ts'
import { JOB_COLUMNS } from './list.ts'

/** So many of the jobs that a dry run means are shown. */
export const SAMPLE = 10

/** A job to which something could not be done, and why: "… is running". */
export interface Refusal {
  readonly id: string
  readonly reason: string
}

/** What became of jobs that somebody steered; of a dry run, what would. */
export interface Tally {
  done: number
  /** Of those that were cancelled: how many run, and their processes were asked. */
  asked?: number
  /** False: at least so many. */
  readonly isExact: boolean
  readonly refused: Refusal[]
  /** Of a dry run: the first of the jobs. */
  readonly sample: JobRecord[]
}

/** What the command exits with. */
export function exitCodeOf({ done, refused }: Tally, cli: Cli): Cli['exitCode'] {
  if (cli.stoppedWith !== undefined) return cli.stoppedWith
  if (refused.length === 0) return EXIT.done
  return done === 0 ? EXIT.failed : EXIT.partly
}

/** Says of each job that was refused why, and what could not be done: "cannot be cancelled". */
export function noteRefusals({ refused }: Tally, what: string, cli: Cli): void {
  for (const { id, reason } of refused) {
    cli.note(`${cli.err.paint('warning', '!')} Job ${id} ${printable(reason)}; it ${what}.`)
  }
}

/** Shows the first of the jobs that a dry run means, below what was said of them all. */
export function showSample({ done, sample }: Tally, cli: Cli): void {
  if (sample.length === 0) return
  cli.print()
  cli.table(JOB_COLUMNS, sample)
  const rest = done - sample.length
  if (rest > 0) cli.print(cli.out.paint('quiet', `… and ${showNumber(rest)} more`))
}
