import type { JobSpec } from './model-job.ts'
import type { QueueName } from './queue-rules.ts'
import type { Step } from './steps.ts'

const job = { priority: 5, delayMs: 0, maxRetries: 1, retryPolicy: 'constant' } as const

/** Sequences that the random ones once found, shrunk, and named for what must hold. */
export const FOUND: readonly (readonly [string, readonly Step[]])[] = [
  [
    'the head of a FIFO queue that was retried starts before those behind it',
    [
      enqueue('line', job, job),
      claim(),
      { do: 'start', pick: 0, count: 1 },
      fail(),
      { do: 'pass', pick: 0, ms: 2_500 },
      claim(),
      { do: 'start', pick: 0, count: 1 },
    ],
  ],
  [
    'what is to be cancelled takes a place in a claim from the head of a FIFO queue',
    [
      enqueue('line', job),
      enqueue('line', job),
      claim({ limit: 1 }),
      { do: 'cancel', pick: 0 },
      claim({ limit: 1 }),
    ],
  ],
  [
    'a job with null as its arguments goes to the dead-letter queue',
    [
      enqueue('posts', { ...job, maxRetries: 0 }),
      claim(),
      { do: 'start', pick: 0, count: 1 },
      fail(),
    ],
  ],
  [
    'what a dead worker claims after its rescue is not lost',
    [
      enqueue('posts', job),
      claim({ limit: 1 }),
      { do: 'freeze', pick: 0 },
      { do: 'pass', pick: 0, ms: 31_000 },
      { do: 'declare dead', pick: 0 },
      { do: 'rescue', pick: 0 },
      { do: 'pass', pick: 0, ms: 61_000 },
      { do: 'rescue', pick: 0 },
      { do: 'thaw', pick: 0 },
      claim(),
    ],
  ],
  [
    'a worker that does not know yet that it was declared dead may sleep through what is due',
    [
      enqueue('posts', job),
      { do: 'freeze', pick: 0 },
      { do: 'pass', pick: 0, ms: 31_000 },
      { do: 'declare dead', pick: 0 },
      { do: 'thaw', pick: 0 },
      claim(),
      { do: 'poll', pick: 0 },
      { do: 'beat', pick: 0 },
      { do: 'poll', pick: 0 },
      claim(),
    ],
  ],
  [
    'a job that is made more urgent is found at once where claims have looked already',
    [
      enqueue('posts', { ...job, priority: 9 }),
      { do: 'pass', pick: 0, ms: 2_500 },
      enqueue('posts', { ...job, priority: 0 }),
      claim({ limit: 1 }),
      { do: 'edit', pick: 0, maxRetries: 1, priority: 0, delayMs: undefined },
      claim(),
    ],
  ],
  [
    'a suspect whose claim was lost is not blamed for a crash in which it did not run',
    [
      enqueue('posts', { ...job, maxRetries: 0 }),
      claim(),
      { do: 'start', pick: 0, count: 1 },
      ...dieAndBeRescued(),
      { do: 'claim suspect', pick: 0, isLost: true, startsAlone: true },
      ...dieAndBeRescued(),
    ],
  ],
  [
    'a suspect of a FIFO queue whose claim was lost does not run beside others',
    [
      enqueue('line', { ...job, maxRetries: 0 }),
      claim(),
      { do: 'start', pick: 0, count: 1 },
      ...dieAndBeRescued(),
      claim(),
      { do: 'claim suspect', pick: 0, isLost: true, startsAlone: true },
      claim(),
      ...dieAndBeRescued(),
    ],
  ],
]

function enqueue(queue: QueueName, ...jobs: JobSpec[]): Step {
  return { do: 'enqueue', pick: 0, queue, jobs, isOpen: false }
}

function claim({ limit = 10 } = {}): Step {
  return { do: 'claim', pick: 0, limit, startsAtOnce: true, isNotified: false, loses: 0 }
}

function fail(): Step {
  return { do: 'end', pick: 0, count: 1, outcome: { kind: 'threw' }, writes: 'now' }
}

/** The first process crashes; the others find out and free what it held. */
function dieAndBeRescued(): Step[] {
  return [
    { do: 'crash', pick: 0 },
    { do: 'pass', pick: 0, ms: 31_000 },
    { do: 'declare dead', pick: 0 },
    { do: 'rescue', pick: 0 },
  ]
}
