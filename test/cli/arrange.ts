import type { Fixtures } from '../support/fixtures.ts'
import { millrace, type Ended, type MillraceOptions } from './millrace.ts'

/** The ids of the jobs that `stock` made. */
export interface Stock {
  readonly finished: string
  readonly failed: string
  readonly dead: string
  readonly waiting: string
  readonly later: string
}

/** Queues as they are in life: `emails` with dead letters, and `reports` without. */
export async function stock(openQueue: Fixtures['openQueue']): Promise<Stock> {
  const emails = openQueue<{ to: string }, { sent: boolean }>(
    (job) => {
      if (job.args.to === 'nobody') throw new TypeError('No such address')
      return { sent: true }
    },
    { queueName: 'emails', dlq: 'emails-dead' },
  )
  const reports = openQueue<unknown, unknown>(
    () => {
      throw new Error('The printer is on fire')
    },
    { queueName: 'reports' },
  )
  const finished = await emails.enqueue({ to: 'ada' }, { metadata: { tenant: 'mill' } })
  const dead = await emails.enqueue({ to: 'nobody' }, { maxRetries: 0 })
  await emails.drain()
  const failed = await reports.enqueue([1], { maxRetries: 0 })
  await reports.drain()
  const waiting = await emails.enqueue({ to: 'eve' })
  const later = await reports.enqueue(null, { delay: '1d' })
  return {
    ...{ finished: finished.id, failed: failed.id, dead: dead.id },
    ...{ waiting: waiting.id, later: later.id },
  }
}

/** Runs a command with `--json`, and reads its one document. */
export async function json(args: readonly string[], options: MillraceOptions): Promise<unknown> {
  const ended = await millrace([...args, '--json'], options)
  return JSON.parse(ended.stdout)
}

/** What a command wrote as lines, without the spaces at their ends. */
export function lines({ stdout }: Ended): string[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd())
}
