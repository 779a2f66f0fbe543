import fc from 'fast-check'
import type { JobSpec, ModelOutcome } from './model-job.ts'
import type { QueueName } from './queue-rules.ts'

/**
 * One thing that happens. `pick` chooses among the processes, queues or jobs to which it can happen
 * at that moment; a step to which nothing fits is left out. So every step of a sequence does
 * something, and a sequence stays one when parts of it are taken away.
 */
export type Step = { [V in Verb]: { readonly do: V; readonly pick: number } & Details[V] }[Verb]

/** What a step says besides. */
interface Details {
  enqueue: { queue: QueueName; jobs: readonly JobSpec[]; isOpen: boolean }
  'end transaction': { commits: boolean }
  claim: { limit: number; startsAtOnce: boolean; isNotified: boolean; loses: number }
  'claim suspect': { isLost: boolean; startsAlone: boolean }
  mark: { count: number }
  start: { count: number }
  end: { count: number; outcome: ModelOutcome; writes: Writes }
  write: object
  complete: { commits: boolean }
  'give back': object
  'find lost': object
  'clear marks': object
  poll: object
  boot: object
  crash: object
  freeze: object
  thaw: object
  beat: object
  stop: object
  'declare dead': object
  rescue: object
  pass: { ms: number }
  'set back': { ms: number }
  cancel: object
  retry: object
  delete: object
  edit: { maxRetries: number; priority: number | undefined; delayMs: number | undefined }
  look: object
  redrive: { limit: number }
  pause: { queue: QueueName }
}

export type Verb = keyof Details
export type StepOf<V extends Verb> = Extract<Step, { do: V }>

/** What happens in a process to a queue. */
export const ON_QUEUE = [
  'claim',
  'claim suspect',
  'mark',
  'start',
  'give back',
  'clear marks',
  'poll',
] as const
export type OnQueue = (typeof ON_QUEUE)[number]

/** What happens in a process. */
export const IN_PROCESS = [
  'boot',
  'crash',
  'freeze',
  'thaw',
  'beat',
  'stop',
  'find lost',
  'end',
  'complete',
  'write',
] as const
export type InProcess = (typeof IN_PROCESS)[number]

/** What somebody does to a job. */
export const STEERING = ['cancel', 'retry', 'delete', 'edit', 'look'] as const
export type Steering = (typeof STEERING)[number]

export function isOneOf<V extends Verb>(verbs: readonly V[], step: Step): step is StepOf<V> {
  return verbs.some((verb) => verb === step.do)
}

/** Whether the end of a run is written at once, later, or twice because the answer was lost. */
export type Writes = 'now' | 'later' | 'twice'

/** Longer than a lease. */
const LONG_MS = 31_000

const pick = fc.nat({ max: 11 })
const flag = fc.boolean()

/** True in one case of so many. */
const rarely = (of: number): fc.Arbitrary<boolean> =>
  fc.integer({ min: 1, max: of }).map((roll) => roll === of)

const job: fc.Arbitrary<JobSpec> = fc.record({
  priority: fc.constantFrom(5, 5, 5, 0, 4, 9),
  delayMs: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 40, 700, 3_000),
  maxRetries: fc.constantFrom(0, 1, 1, 2, 3),
  retryPolicy: fc.constantFrom('constant', 'linear', 'exponential'),
})

const outcome: fc.Arbitrary<ModelOutcome> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'returned' as const }) },
  { weight: 5, arbitrary: fc.constant({ kind: 'threw' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'discarded' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('snoozed' as const),
      ms: fc.constantFrom(0, 5, 900),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'interrupted' as const }) },
)

const count = fc.integer({ min: 1, max: 3 })

const limit = fc.constantFrom(1, 2, 3, 10)
const long = fc.constant(LONG_MS)
const writes = fc.constantFrom<Writes>('now', 'now', 'now', 'later', 'twice')

const claim = of('claim', {
  limit,
  startsAtOnce: flag,
  isNotified: flag,
  loses: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1, 2, 3),
})
const claimSuspect = of('claim suspect', {
  isLost: rarely(6),
  startsAlone: rarely(8).map((isRare) => !isRare),
})
const edit = of('edit', {
  maxRetries: fc.constantFrom(0, 1, 3),
  priority: fc.constantFrom(undefined, 5, 0, 9),
  delayMs: fc.constantFrom(undefined, undefined, 0, 40, 3_000),
})
const start = of('start', { count })
const end = of('end', { count, outcome, writes })
const pass = of('pass', { ms: fc.constantFrom(5, 300, 2_500, 6_000, LONG_MS) })
const wait = of('pass', { ms: long })

/** Any step, around these queues. */
function anyStep(queues: readonly QueueName[]): fc.Arbitrary<Step> {
  return fc.oneof(
    weigh(8, enqueueTo(queues)),
    weigh(2, of('end transaction', { commits: flag })),
    weigh(8, claim),
    weigh(2, claimSuspect),
    weigh(3, of('mark', { count })),
    weigh(9, start),
    weigh(7, end),
    weigh(3, of('write', {})),
    weigh(3, of('complete', { commits: flag })),
    weigh(2, of('give back', {})),
    weigh(2, of('find lost', {})),
    weigh(1, of('clear marks', {})),
    weigh(2, of('poll', {})),
    weigh(1, of('crash', {})),
    weigh(1, of('freeze', {})),
    weigh(1, of('stop', {})),
    weigh(3, of('boot', {})),
    weigh(2, of('thaw', {})),
    weigh(1, of('beat', {})),
    weigh(1, of('declare dead', {})),
    weigh(2, of('rescue', {})),
    weigh(4, pass),
    weigh(1, of('set back', { ms: fc.constantFrom(1, 400, 20_000) })),
    weigh(2, of('cancel', {})),
    weigh(1, of('pause', { queue: fc.constantFrom(...queues) })),
    weigh(2, of('retry', {})),
    weigh(1, of('delete', {})),
    weigh(2, edit),
    weigh(1, of('look', {})),
    weigh(3, of('redrive', { limit: fc.constantFrom(1, 2, 500) })),
  )
}

/** What often happens one after the other; any step of it may be missing. */
function burst(queues: readonly QueueName[]): fc.Arbitrary<Step[]> {
  const boot = of('boot', {})
  const crash = of('crash', {})
  const freeze = of('freeze', {})
  const thaw = of('thaw', {})
  const declareDead = of('declare dead', {})
  const rescue = of('rescue', {})
  const failure = of('end', { count, outcome: fc.constant({ kind: 'threw' as const }), writes })
  const backAtOnce = fc.constantFrom<ModelOutcome>(
    { kind: 'threw' },
    { kind: 'snoozed', ms: 0 },
    { kind: 'interrupted' },
  )
  const unanswered = of('end', { count, outcome: backAtOnce, writes: fc.constant('twice') })
  const soon = of('pass', { ms: fc.constantFrom(5, 2_500, 6_000) })
  return fc.oneof(
    weigh(9, inTurn(enqueueTo(queues), claim, start, end)),
    weigh(6, inTurn(claim, start, failure, pass, claim, start, failure)),
    weigh(4, inTurn(claim, start, claim, end, start, end)),
    weigh(3, inTurn(enqueueTo(queues), claim, edit, claim, start, end)),
    weigh(2, inTurn(claim, start, of('complete', { commits: flag }))),
    // An answer is lost, and before it is asked for again the job is in the same hands once more.
    weigh(5, inTurn(claim, start, unanswered, soon, claim, start, of('write', {}))),
    weigh(2, inTurn(enqueueTo(queues), claim, start, crash, boot, wait, declareDead, rescue)),
    weigh(1, inTurn(claim, freeze, wait, declareDead, rescue, thaw, end)),
    weigh(1, inTurn(start, freeze, wait, declareDead, thaw, end, claim, rescue)),
    weigh(2, inTurn(enqueueTo(queues), claim, start, of('cancel', {}), end)),
    weigh(1, inTurn(claim, of('cancel', {}), crash, boot, wait, declareDead, rescue)),
    weigh(4, inTurn(claimSuspect, end)),
    weigh(2, inTurn(claimSuspect, crash, wait, declareDead, rescue, boot)),
    weigh(1, inTurn(of('set back', { ms: fc.constantFrom(5, 20_000) }), claim, pass, claim)),
    weigh(2, inTurn(of('redrive', { limit: fc.constantFrom(1, 500) }), claim, start, end)),
  )
}

function enqueueTo(queues: readonly QueueName[]): fc.Arbitrary<Step> {
  const queue = fc.constantFrom(...queues)
  const jobs = fc.array(job, { minLength: 1, maxLength: 4 })
  return of('enqueue', { queue, jobs, isOpen: rarely(6) })
}

function of<V extends Verb>(
  verb: V,
  details: { [K in keyof Details[V]]: fc.Arbitrary<Details[V][K]> },
): fc.Arbitrary<Step> {
  const arbitrary = fc.record({ do: fc.constant(verb), pick, ...details })
  return arbitrary as unknown as fc.Arbitrary<Step>
}

function weigh<T>(
  weight: number,
  arbitrary: fc.Arbitrary<T>,
): { weight: number; arbitrary: fc.Arbitrary<T> } {
  return { weight, arbitrary }
}

/**
 * These steps, mostly with one pick, so that one process does them; shrinking leaves out what is
 * not needed.
 */
function inTurn(...steps: fc.Arbitrary<Step>[]): fc.Arbitrary<Step[]> {
  const kept = steps.map((step) => fc.tuple(fc.nat({ max: 11 }), step))
  return fc.tuple(fc.option(pick, { freq: 3 }), fc.tuple(...kept)).map(([shared, drawn]) =>
    drawn.flatMap(([isKept, step]) => {
      if (isKept === 0) return []
      return shared === null ? [step] : [{ ...step, pick: shared }]
    }),
  )
}

/** What a sequence is mostly about: where jobs are enqueued. */
const THEMES: readonly (readonly QueueName[])[] = [
  ['posts'],
  ['line'],
  ['posts', 'notes', 'line', 'dead line'],
]

/** A sequence of steps about one theme. */
export const sequence: fc.Arbitrary<Step[]> = fc.oneof(
  ...THEMES.map((queues) => {
    const single = anyStep(queues).map((step) => [step])
    const part = fc.oneof(weigh(3, single), weigh(2, burst(queues)))
    return fc.array(part, { minLength: 1, maxLength: 45, size: 'max' }).map((parts) => parts.flat())
  }),
)
