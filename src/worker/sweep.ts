import type { EventBus } from '../core/event-bus.ts'
import { compareNumerals } from '../store/numerals.ts'
import { readHeldSlice, type OrphanedJob, type SliceKey } from '../store/rescue.ts'
import { giveBackOrCancel } from '../store/cancel.ts'
import type { Store } from '../store/store.ts'
import { Bell, pause } from './bell.ts'
import type { Registration } from './registration.ts'
import type { SettlingRules } from './settlement.ts'

const EVERY_MS = 5 * 60_000
/** A sweep may take one part in so many of the time: it reads the whole queue. */
const SHARE = 500
const SLICE = 20_000
/** After the connection was lost and made anew: two looks, and between them no answer is on its way for that long. */
const AFTER_RECONNECTION_MS = [500, 5_000]
/** Claims begin at the front, so what is held is there: those two looks read no more. */
const FRONT_SLICES = 10

/** A receiver, as far as a sweep asks it. */
export interface Hands {
  readonly rules: Pick<SettlingRules, 'queueId' | 'queueName' | 'keepFailedMs'>
  /** Numbers of the claims of which it has something in hand. */
  readonly openClaims: ReadonlySet<string>
}

/** What a look found, by queue: job ids with their claim numbers, and whose they were. */
type Found = Map<number, { workerId: number; claimNos: Map<string, string> }>

/**
 * Finds jobs that this worker holds and none of its receivers knows, and gives them back. As the worker
 * lives nobody else would ever free them. A failover to a standby that was behind leaves such jobs: the
 * new primary has the claims, and not the settles that followed. So does a claim whose answer was lost,
 * but that is looked for by its number at once.
 *
 * What is under way on the network looks the same, so a job must be found twice, some time apart.
 */
export class Sweep {
  readonly #store: Store
  readonly #events: EventBus
  readonly #membership: { readonly current: Registration | undefined }
  readonly #hands: () => Iterable<Hands>
  readonly #bell = new Bell()
  /** Who this process was when it connected last. */
  #connectedAs: Registration | undefined
  #found: Found = new Map()

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

  /** Sweeps now and then, and soon after each reconnection, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#sweepNowAndThen(signal), this.#lookAfterReconnections(signal)])
  }

  /** There is a new connection, perhaps to another database, which did not hear of the last moments. */
  connected(): void {
    const { current } = this.#membership
    if (current === this.#connectedAs) this.#bell.ring() // a new registration holds nothing yet
    this.#connectedAs = current
  }

  /** Looks once through the queues of this process. Gives back what the last sweep had found too. */
  async sweep(signal: AbortSignal): Promise<void> {
    this.#found = await this.#look(this.#found, Infinity, signal)
  }

  async #sweepNowAndThen(signal: AbortSignal): Promise<void> {
    let waitMs = EVERY_MS
    for (;;) {
      await pause(waitMs, signal)
      if (signal.aborted) return
      const began = performance.now()
      await this.#survive(this.sweep(signal), signal)
      waitMs = Math.max(EVERY_MS, (performance.now() - began) * SHARE)
    }
  }

  async #lookAfterReconnections(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#bell.wait(Infinity, signal)
      let found: Found | undefined = new Map()
      for (const waitMs of AFTER_RECONNECTION_MS) {
        await pause(waitMs, signal)
        if (signal.aborted) return
        found = await this.#survive(this.#look(found ?? new Map(), FRONT_SLICES, signal), signal)
      }
    }
  }

  /** Waits for a look; if it fails it says so. */
  async #survive<T>(look: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    try {
      return await look
    } catch (error) {
      if (!signal.aborted) this.#events.emit({ type: 'maintenance.failed', chore: 'sweep', error })
      return undefined
    }
  }

  /** Gives back what was found `before` and is found again. Answers what it found. */
  async #look(before: Found, slices: number, signal: AbortSignal): Promise<Found> {
    const registration = this.#membership.current
    const found: Found = new Map()
    if (registration === undefined) return found
    const queues = new Map([...this.#hands()].map(({ rules }) => [rules.queueId, rules]))
    for (const [queueId, rules] of queues) {
      if (signal.aborted || registration.lost.aborted) return found
      const unknown = await this.#unknown(queueId, registration.id, slices, signal)
      const last = before.get(queueId)
      const isTwice = ({ id, claimNo }: OrphanedJob): boolean =>
        last?.workerId === registration.id && last.claimNos.get(id) === claimNo
      await this.#giveBack(rules, registration.id, unknown.filter(isTwice))
      const claimNos = new Map(unknown.map(({ id, claimNo }) => [id, claimNo]))
      found.set(queueId, { workerId: registration.id, claimNos })
    }
    return found
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

  async #unknown(
    queueId: number,
    workerId: number,
    slices: number,
    signal: AbortSignal,
  ): Promise<OrphanedJob[]> {
    const unknown: OrphanedJob[] = []
    let key: SliceKey | undefined
    let left = slices
    do {
      left -= 1
      const slice = await readHeldSlice(this.#store, queueId, [workerId], SLICE, key)
      const open = this.#openClaims(queueId)
      unknown.push(...slice.orphans.filter(({ claimNo }) => !open.has(claimNo)))
      key = slice.next
    } while (key !== undefined && left > 0 && !signal.aborted)
    return unknown
  }

  #openClaims(queueId: number): Set<string> {
    const hands = [...this.#hands()].filter((one) => one.rules.queueId === queueId)
    return new Set(hands.flatMap((one) => [...one.openClaims]))
  }
}
