import { parseDuration, type Duration } from './duration.ts'

/**
 * Thrown by a worker to say: not now, again after `delay`. The run is taken back, so that no attempt
 * is used. In a FIFO queue the jobs behind wait too.
 */
export class Snooze extends Error {
  override readonly name = 'Snooze'
  /** After how many milliseconds the job is due again. */
  readonly delayMs: number

  constructor(delay: Duration) {
    const delayMs = parseDuration(delay, 'delay')
    super(`Snoozed for ${delayMs} ms by its worker`)
    this.delayMs = delayMs
  }
}
