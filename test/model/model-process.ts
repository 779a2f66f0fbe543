import type { Settlement } from '../../src/worker/settlement.ts'
import type { PastClaim } from './claim-rules.ts'
import type { Grip, ModelOutcome, ModelWorker } from './model-job.ts'
import type { QueueName } from './queue-rules.ts'

/** A job in a process's hands. The hand outlives the lease: a process may not know that it was declared dead. */
export interface Hand extends Grip {
  readonly id: number
  readonly queue: QueueName
  /** When it was claimed: the step, and the time of the processes. */
  readonly claimed: { readonly step: number; readonly at: number }
  /** Whether a mark, or the claim itself, says that it starts. */
  isStartable: boolean
}

/** A run that is decided and not written down. */
export interface Decision {
  readonly hand: Hand
  readonly outcome: ModelOutcome
  readonly settlement: Settlement
}

/** Decisions that were written once, without an answer, and will be written again. */
export interface Unanswered extends Decision {
  /** Whether the first time did it. */
  readonly wasSettled: boolean
  /** The job's version after that: as long as it has not changed, the trace of the settling can be found. */
  readonly version: number | undefined
}

/** What a process believes that it holds. */
export class ModelProcess {
  readonly index: number
  status: 'off' | 'awake' | 'frozen' = 'off'
  worker: ModelWorker | undefined
  /** Claimed and not started, in the order in which they start. */
  waiting: Hand[] = []
  /** FIFO: claimed, dropped, and to be claimed again at the head. */
  left: Hand[] = []
  running: Hand[] = []
  decided: Decision[] = []
  unanswered: Unanswered[] = []
  /** Claims whose answer was lost. */
  lost: (Grip & { readonly queue: QueueName })[] = []
  /** The suspect that has the process for itself until it is written down. */
  lone: Hand | undefined
  readonly past = new Map<QueueName, PastClaim[]>()

  constructor(index: number) {
    this.index = index
  }

  get isEmpty(): boolean {
    return (
      this.waiting.length + this.running.length === 0 &&
      this.decided.length + this.unanswered.length === 0
    )
  }

  waitingIn(queue: QueueName): Hand[] {
    return this.waiting.filter((hand) => hand.queue === queue)
  }

  runningIn(queue: QueueName): Hand[] {
    return this.running.filter((hand) => hand.queue === queue)
  }

  /** Jobs of a queue that run or ran and are not written down, as far as the process knows. */
  unsettled(queue: QueueName): Hand[] {
    const hands = [
      ...this.running,
      ...this.decided.map((decision) => decision.hand),
      ...this.unanswered.map((decision) => decision.hand),
    ]
    return hands.filter((hand) => hand.queue === queue)
  }

  /** FIFO: the head failed or was put off, and that is not written down. */
  isHeld(queue: QueueName): boolean {
    return [...this.decided, ...this.unanswered].some(
      ({ hand, outcome }) => hand.queue === queue && outcome.kind !== 'returned',
    )
  }

  noteClaim(queue: QueueName, claim: PastClaim): void {
    this.past.set(queue, [...(this.past.get(queue) ?? []), claim])
  }

  /** Its lease is lost: what it had not started is others' now; what runs goes on, in vain. */
  loseLease(): void {
    this.waiting = []
    this.left = []
    this.lost = []
    this.past.clear()
  }

  /** It is gone, with everything that it knew. */
  crash(): void {
    this.loseLease()
    this.running = []
    this.decided = []
    this.unanswered = []
    this.lone = undefined
    this.worker = undefined
    this.status = 'off'
  }
}
