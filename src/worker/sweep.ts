import type { EventBus } from '../core/event-bus.ts'
import { compareNumerals } from '../store/numerals.ts'
import { readHeldSlice, type OrphanedJob, type SliceKey } from '../store/rescue.ts'
import { giveBackOrCancel } from '../store/cancel.ts'
import type { Store } from '../store/store.ts'
import { pause } from './bell.ts'
import type { Registration } from './registration.ts'
import type { SettlingRules } from './settlement.ts'

const EVERY_MS = 5 * 60_000
/** A sweep may take one part in so many of the time: it reads the whole queue. */
const SHARE = 500
const SLICE = 20_000

/** A receiver, as far as a sweep asks it. */
export interface Hands {
  readonly rules: Pick<SettlingRules, 'queueId' | 'queueName' | 'keepFailedMs'>
  /** Numbers of the claims of which it has something in hand. */
  readonly openClaims: ReadonlySet<string>
}

/**
 * Finds jobs that this worker holds and none of its receivers knows, and gives them back. Nothing is
 * known to leave such jobs behind but claims whose answers were lost, which are looked for at once;
 * but as the worker lives nobody else would ever free them, so this is the net below all others.
 *
 * What is under way on the network looks the same, so a job must be found twice, minutes apart.
 */
export class Sweep {
  readonly #store: Store
  readonly #events: EventBus
  readonly #membership: { readonly current: Registration | undefined }
  readonly #hands: () => Iterable<Hands>
  /** What the last sweep found, by queue: job ids with their claim numbers, and whose they were. */
  #found = new Map<number, { workerId: number; claimNos: Map<string, string> }>()

  constructor(
    store: Store,
    events: EventBus,
    membership: { readonly current: Registration | undefined },
    hands: () => Iterable<Hands>,
  ) {
    this.#store = store
    this.#events = events
    this.#membership = membership
    this.#hands = hands
  }

  /** Sweeps now and then until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let waitMs = EVERY_MS
    for (;;) {
      await pause(waitMs, signal)
      if (signal.aborted) return
      const began = performance.now()
      try {
        await this.sweep(signal)
      } catch (error) {
        if (signal.aborted) return
        this.#events.emit({ type: 'maintenance.failed', chore: 'sweep', error })
      }
      waitMs = Math.max(EVERY_MS, (performance.now() - began) * SHARE)
    }
  }

  /** Looks once through the queues of this process. Gives back what the last sweep had found too. */
  async sweep(signal: AbortSignal): Promise<void> {
    const registration = this.#membership.current
    const before = this.#found
    this.#found = new Map()
    if (registration === undefined) return
    const queues = new Map([...this.#hands()].map(({ rules }) => [rules.queueId, rules]))
    for (const [queueId, rules] of queues) {
      if (signal.aborted || registration.lost.aborted) return
      const unknown = await this.#unknown(queueId, registration.id, signal)
      const last = before.get(queueId)
      const isTwice = ({ id, claimNo }: OrphanedJob): boolean =>
        last?.workerId === registration.id && last.claimNos.get(id) === claimNo
      await this.#giveBack(rules, registration.id, unknown.filter(isTwice))
      const claimNos = new Map(unknown.map(({ id, claimNo }) => [id, claimNo]))
      this.#found.set(queueId, { workerId: registration.id, claimNos })
    }
  }

  async #giveBack(
    { queueId, queueName, keepFailedMs }: Hands['rules'],
    workerId: number,
    jobs: readonly OrphanedJob[],
  ): Promise<void> {
    if (jobs.length === 0) return
    const sorted = jobs
      .toSorted((left, right) => compareNumerals(left.id, right.id))
      .map(({ id, claimNo }) => ({ id, claimNo, startedAt: 0 }))
    const holder = { queueId, workerId }
    const freed = await giveBackOrCancel(this.#store, holder, sorted, false, keepFailedMs)
    this.#events.emit({ type: 'claim.recovered', queueName, count: freed.length })
  }

  async #unknown(queueId: number, workerId: number, signal: AbortSignal): Promise<OrphanedJob[]> {
    const unknown: OrphanedJob[] = []
    let key: SliceKey | undefined
    do {
      const slice = await readHeldSlice(this.#store, queueId, [workerId], SLICE, key)
      const open = this.#openClaims(queueId)
      unknown.push(...slice.orphans.filter(({ claimNo }) => !open.has(claimNo)))
      key = slice.next
    } while (key !== undefined && !signal.aborted)
    return unknown
  }

  #openClaims(queueId: number): Set<string> {
    const hands = [...this.#hands()].filter((one) => one.rules.queueId === queueId)
    return new Set(hands.flatMap((one) => [...one.openClaims]))
  }
}
