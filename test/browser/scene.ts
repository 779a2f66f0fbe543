import type { OpenQueue, Receiving } from '../support/fixtures.ts'
import type { JobQueue } from '../../src/job-queue.ts'
import type { ReceiveOptions } from '../../src/core/receive-options.ts'
import { until } from '../support/fixtures.ts'

/** What makes a scene. */
interface Stage {
  readonly openQueue: OpenQueue
  readonly rows: (sql: string, values?: unknown[]) => Promise<unknown>
  readonly receive: (queue: JobQueue<never, never>, options?: ReceiveOptions) => Receiving
}

/** Jobs that pages show. */
export interface Scene {
  /** Of `imports`: it runs, with progress and a log, until the test ends. */
  readonly runningId: string
  /** Of `emails`: it failed for good, after a retry. */
  readonly failedId: string
  /** Of `webhooks-dead`. */
  readonly deadId: string
  /** Of `newsletter`, which nobody receives. */
  readonly waitingId: string
}

/** A shop's queues on a day on which not everything goes well, with real workers behind them. */
export async function setTheScene({ openQueue, receive, rows }: Stage): Promise<Scene> {
  const emails = openQueue<{ to: string }, string>(
    async ({ args }) => {
      if (args.to.startsWith('nobody')) throw new TypeError(`SMTP 550: mailbox ${args.to} unknown`)
      return 'delivered'
    },
    { queueName: 'emails', baseRetryDelay: '10ms', retryJitter: 0 },
  )
  const webhooks = openQueue<{ url: string }, void>(
    async ({ id }) => {
      throw new Error(`connect ECONNREFUSED 10.0.0.${Number(id) % 250}:443`)
    },
    { queueName: 'webhooks', dlq: 'webhooks-dead', baseRetryDelay: '10ms', retryJitter: 0 },
  )
  const imports = openQueue<object, void>(
    async (_job, { progress, log, signal }) => {
      progress({ done: 640, of: 1_000 })
      log('read 640 rows', { file: 'customers.csv' })
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
    { queueName: 'imports' },
  )
  const payments = openQueue<object>({ queueName: 'payments', fifo: true })
  const newsletter = openQueue<object>({ queueName: 'newsletter' })
  for (const queue of [emails, webhooks, imports]) receive(queue as JobQueue<never, never>)

  await emails.enqueueMany(
    ['ada', 'grace', 'linus', 'margaret'].map((name) => ({
      args: { to: `${name}@example.org` },
      tags: ['customer:42'],
    })),
  )
  const failed = await emails.enqueue({ to: 'nobody@example.org' }, { maxRetries: 1 })
  const dead = await webhooks.enqueue({ url: 'https://hooks.example.org/1' }, { maxRetries: 1 })
  const running = await imports.enqueue({ file: 'customers.csv' }, { tags: ['import'] })
  await payments.enqueue({ account: 7, cents: 1_250 })
  const waiting = await newsletter.enqueue({ issue: 12 })
  await rows(`update {schema}.jobs set run_at = run_at - interval '1 hour' where id = $1`, [
    waiting.id,
  ])
  await payments.pause({ by: 'grace', reason: 'the bank is down' })
  await until(async () => (await emails.get(failed.id))?.status === 'failed')
  await until(async () => (await webhooks.get(dead.id))?.queueName === 'webhooks-dead')
  await until(async () => (await imports.get(running.id))?.progress !== undefined)
  return { runningId: running.id, failedId: failed.id, deadId: dead.id, waitingId: waiting.id }
}
