import type { EventBus } from '../core/event-bus.ts'
import { CANCEL_PREFIX } from '../store/cancel.ts'
import type { LaneFloor } from '../store/claim.ts'
import { awake, fallAsleep, notify, pollQueues, type PolledQueue } from '../store/poll.ts'
import type { Store } from '../store/store.ts'
import { Bell, pause } from './bell.ts'
import type { Membership } from './membership.ts'
import type { QuietSession } from './quiet-session.ts'

/** After falling asleep a queue is looked into again this soon, for what was just being committed. */
const FIRST_LOOKS_MS = [5, 50, 500]
/**
 * So many more looks that find nothing, one each poll interval, and a queue of which notifications arrive counts as
 * quiet: from then on it is looked into half as often.
 */
const LOOKS_UNTIL_QUIET = 5
const QUIET_STRETCH = 2
/** A receiver that works for this long is no sleeper any more, and enqueues need not notify it. */
const LINGER_MS = 100
/** A notification to ourselves that has not come after this never will. */
const SELF_TEST_MS = 5_000
/** So often we ask: a heartbeat may be under way at the moment that a notification comes. */
const SELF_TESTS = 3
/** After the last answer this long passes for quiet: what a pooler sent along with that answer has been read. */
const QUIET_MS = 20
const SELF_TEST_PAYLOAD = 'self-test'

/** A receiver as its waker sees it. */
export interface Sleeper {
  readonly queueId: number
  readonly pollIntervalMs: number
  /** Whether enqueues should notify it; who could not run the job anyway only polls. */
  readonly isCallable: boolean
  /** From where a look into the queue starts. */
  pollFloors(): LaneFloor[]
  /** What a look found, in `tookMs`. The sleeper decides whether it wakes. */
  looked(found: PolledQueue, tookMs: number): void
  /** Somebody notified the queue. */
  notified(): void
  /** Jobs that it has in hand may have to be cancelled; or nobody will say so for a while. */
  askedToCancel(): void
}

interface Sleep {
  looks: number
  nextLookAt: number
}

/**
 * Wakes the receivers of this process: by notifications over the listening connection, and by
 * polling, in one statement for all queues that sleep. It says that they sleep by shared advisory
 * locks on that connection (store/wake.ts has the reasons).
 */
export class Waker {
  readonly #store: Store
  readonly #membership: Membership
  readonly #events: EventBus
  readonly #sleepers = new Map<Sleeper, Sleep>()
  readonly #receivers = new Set<Sleeper>()
  /** When the next job is due that the last look saw waiting: known beyond a wake-up that comes to nothing. */
  readonly #dueAt = new Map<Sleeper, number>()
  readonly #bell = new Bell()
  #locked = new Set<number>()
  #isHeard = false
  #hasWarned = false
  #selfTest: (() => void) | undefined

  constructor(store: Store, membership: Membership, events: EventBus) {
    this.#store = store
    this.#membership = membership
    this.#events = events
  }

  /** Notifications for its queue reach `receiver` until the answer is called. */
  attach(receiver: Sleeper): () => void {
    this.#receivers.add(receiver)
    return () => {
      this.#receivers.delete(receiver)
      this.#sleepers.delete(receiver)
      this.#dueAt.delete(receiver)
      this.#bell.ring()
    }
  }

  /** `receiver` found nothing more to do; `hasNews`: but since it last slept it found something, or was told of it. */
  fallAsleep(receiver: Sleeper, hasNews: boolean): void {
    if (this.#sleepers.has(receiver)) return
    // What cannot be claimed (a head that waits, a locked row) is due for every look: who woke for nothing
    // sleeps on until the next poll, unless notifications may have passed it by meanwhile.
    const sleepsOn = !hasNews && (!this.#isHeard || this.#locked.has(receiver.queueId))
    const looks = sleepsOn ? FIRST_LOOKS_MS.length : 0
    const now = performance.now()
    const dueAt = this.#dueAt.get(receiver) ?? 0
    const nextLookAt = now + this.#lookAfterMs(receiver, looks)
    this.#sleepers.set(receiver, {
      looks,
      nextLookAt: dueAt > now ? Math.min(dueAt, nextLookAt) : nextLookAt,
    })
    this.#bell.ring()
  }

  /** `receiver`, if it sleeps, knows that something will be due so soon. */
  lookIn(receiver: Sleeper, ms: number): void {
    const sleep = this.#sleepers.get(receiver)
    if (sleep === undefined) return
    sleep.nextLookAt = Math.min(sleep.nextLookAt, performance.now() + ms)
    this.#bell.ring()
  }

  /** `receiver` has something to do again. */
  rise(receiver: Sleeper): void {
    if (this.#sleepers.delete(receiver)) setTimeout(() => this.#bell.ring(), LINGER_MS).unref()
  }

  /** Something became due in this process: no need to go through the database. */
  wake(queueId: number): void {
    for (const receiver of this.#receivers) {
      if (receiver.queueId === queueId) receiver.notified()
    }
  }

  /** Somebody asked to cancel jobs of the queue that are in somebody's hands. */
  askToCancel(queueId: number): void {
    for (const receiver of this.#receivers) {
      if (receiver.queueId === queueId) receiver.askedToCancel()
    }
  }

  /** Whether notifications arrive. */
  get isHeard(): boolean {
    return this.#isHeard
  }

  async run(signal: AbortSignal): Promise<void> {
    const stopListening = this.#membership.onSession((session) => {
      void this.#listen(session, signal)
      this.#lookAnew()
    })
    while (!signal.aborted) {
      try {
        await this.#keepLocks()
        await this.#look()
      } catch (error) {
        if (signal.aborted) break
        this.#events.emit({ type: 'poll.failed', error })
        await pause(100, signal)
      }
      await this.#bell.wait(this.#untilNextLook(), signal)
    }
    stopListening()
  }

  async #listen(session: QuietSession, signal: AbortSignal): Promise<void> {
    this.#locked = new Set()
    this.#isHeard = false
    session.lost.addEventListener('abort', () => this.#forgetSession(), { once: true })
    if (session.listen === undefined) return
    try {
      await session.listen(this.#store.wake.channel, (payload) => this.#heard(payload, session))
      await this.#testListening(session, AbortSignal.any([signal, session.lost]))
    } catch (error) {
      if (!session.lost.aborted) this.#events.emit({ type: 'listen.lost', error })
    }
  }

  /** Behind a transaction pooler LISTEN succeeds and what arrives is chance, so we ask ourselves, in a quiet moment. */
  async #testListening(session: QuietSession, signal: AbortSignal): Promise<void> {
    const heard = new Bell()
    this.#selfTest = () => heard.ring()
    const deadline = performance.now() + SELF_TEST_MS
    while (!this.#isHeard && performance.now() < deadline && !signal.aborted) {
      await pause(QUIET_MS, signal)
      if (!session.isQuietFor(QUIET_MS)) continue
      await notify(this.#store, SELF_TEST_PAYLOAD)
      await heard.wait(SELF_TEST_MS / SELF_TESTS, signal)
    }
    this.#selfTest = undefined
    if (signal.aborted || this.#isHeard || this.#hasWarned) return
    this.#hasWarned = true
    this.#events.emit({ type: 'listen.unavailable', pollIntervalMs: this.#pollIntervalMs() })
  }

  #pollIntervalMs(): number {
    return Math.min(...[...this.#receivers].map((receiver) => receiver.pollIntervalMs))
  }

  #heard(payload: string, session: QuietSession): void {
    if (payload.startsWith(CANCEL_PREFIX)) {
      return this.askToCancel(Number(payload.slice(CANCEL_PREFIX.length)))
    }
    if (payload !== SELF_TEST_PAYLOAD) return this.wake(Number(payload))
    if (this.#isHeard || !session.isQuietFor(QUIET_MS)) return
    this.#isHeard = true
    this.#selfTest?.()
    this.#lookAnew() // now it is worth while to say who sleeps
  }

  /** While nobody listened nobody was called: all who sleep look at once, as if they had just fallen asleep. */
  #lookAnew(): void {
    for (const sleep of this.#sleepers.values()) {
      sleep.looks = 0
      sleep.nextLookAt = performance.now()
    }
    for (const receiver of this.#receivers) receiver.askedToCancel()
    this.#bell.ring()
  }

  #forgetSession(): void {
    this.#locked = new Set()
    this.#isHeard = false
    for (const receiver of this.#receivers) receiver.askedToCancel()
  }

  /** Takes the locks of those who fell asleep, releases those of queues that are awake. */
  async #keepLocks(): Promise<void> {
    const { session } = this.#membership
    if (session === undefined || !session.isDedicated || !this.#isHeard) return
    if (this.#store.driver.isSingleSession) return
    const callable = [...this.#sleepers.keys()].filter((sleeper) => sleeper.isCallable)
    const asleep = new Set(callable.map((sleeper) => sleeper.queueId))
    const locked = this.#locked
    const toLock = [...asleep].filter((queueId) => !locked.has(queueId))
    const toUnlock = [...locked].filter((queueId) => !asleep.has(queueId))
    if (toUnlock.length > 0) {
      for (const queueId of toUnlock) locked.delete(queueId)
      await awake(this.#store, toUnlock, session)
    }
    if (toLock.length > 0) {
      for (const queueId of toLock) locked.add(queueId)
      await fallAsleep(this.#store, toLock, session)
    }
  }

  /** Looks into the queues whose time has come, and into those whose time would come soon. */
  async #look(): Promise<void> {
    const now = performance.now()
    if (this.#membership.session === undefined) return
    if (![...this.#sleepers.values()].some((sleep) => sleep.nextLookAt <= now)) return
    const asked = [...this.#sleepers].filter(([sleeper, sleep]) => {
      return (
        sleep.nextLookAt <=
        now + (sleep.looks < FIRST_LOOKS_MS.length ? 0 : sleeper.pollIntervalMs / 2)
      )
    })
    for (const [sleeper, sleep] of asked) {
      sleep.looks += 1
      sleep.nextLookAt = now + this.#lookAfterMs(sleeper, sleep.looks)
    }
    const found = await pollQueues(
      this.#store,
      asked.map(([sleeper]) => ({ queueId: sleeper.queueId, floors: sleeper.pollFloors() })),
    )
    const tookMs = performance.now() - now
    for (const [sleeper, sleep] of asked) {
      const queue = found.find((polled) => polled.queueId === sleeper.queueId)
      if (queue === undefined) continue
      if (queue.nextDueInMs !== null) {
        const dueAt = performance.now() + Math.max(1, Number(queue.nextDueInMs))
        sleep.nextLookAt = Math.min(sleep.nextLookAt, dueAt)
        this.#dueAt.set(sleeper, dueAt)
      }
      sleeper.looked(queue, tookMs)
    }
  }

  #untilNextLook(): number {
    if (this.#membership.session === undefined) return Infinity
    const next = Math.min(...[...this.#sleepers.values()].map((sleep) => sleep.nextLookAt))
    return Math.max(0, next - performance.now())
  }
  /** How long after the last look, or after falling asleep, the next one is due. */
  #lookAfterMs({ queueId, pollIntervalMs }: Sleeper, looks: number): number {
    const first = FIRST_LOOKS_MS[looks]
    if (first !== undefined) return Math.min(first, pollIntervalMs)
    const isQuiet = looks >= FIRST_LOOKS_MS.length + LOOKS_UNTIL_QUIET && this.#locked.has(queueId)
    return isQuiet ? pollIntervalMs * QUIET_STRETCH : pollIntervalMs
  }
}
