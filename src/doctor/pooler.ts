import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from '../drivers/driver.ts'
import { READ_BACKEND } from '../store/examination.ts'
import { notify } from '../store/poll.ts'
import { readOnly } from '../store/read-only.ts'
import type { Store } from '../store/store.ts'
import type { Check } from './check.ts'
import { ok, skipped, warning } from './finding.ts'

/** After the last answer this long passes for quiet: what a pooler sent along with that answer has been read. */
const QUIET_MS = 20
/** A notification that has not come after this is asked for again, and then is taken not to come at all. */
const HEARS_WITHIN_MS = 1_000
const TRIES = 3

/** Whether what belongs to a connection stays with it: a pooler that shares it by transactions hands it on. */
export const pooler: Check = {
  name: 'pooler',
  group: 'Connection',
  notEmbedded: 'There is nothing between this process and the embedded database.',
  async run({ store, server }) {
    if (server.isStandby) return [skipped('A standby sends no notifications.')]
    const session = await store.driver.openSession()
    try {
      if (!session.isDedicated || session.listen === undefined) {
        return [skipped('This kind of client does not say which connection it uses.')]
      }
      if (await isShared(store, session)) return [SHARED]
      return (await hears(store, session)) ? [DIRECT] : [DEAF]
    } finally {
      await session.close()
    }
  },
}

const REMEDY =
  'Nothing is lost, but a job from another process waits up to pollInterval (1 s unless set). Where that matters, give ' +
  'the workers the address of the server itself, or a pool in session mode; who only enqueues can stay.'

const DIRECT = ok('A session keeps its connection, and notifications arrive.', {
  isShared: false,
  hears: true,
})

const SHARED = warning(
  'There is a pooler in transaction mode: notifications do not arrive, and workers poll.',
  REMEDY,
  { isShared: true, hears: false },
)

const DEAF = warning(
  'Notifications do not arrive, as behind a pooler in transaction mode: workers poll.',
  REMEDY,
  { isShared: false, hears: false },
)

/** Whether a transaction elsewhere has got the server's process of this session, or made it get another. */
async function isShared(store: Store, session: Session): Promise<boolean> {
  const before = await backendOf(store, session)
  return readOnly(store, async (tx) => {
    const [other] = await store.run<Backend>(READ_BACKEND, [], tx)
    return other?.processId === before || (await backendOf(store, session)) !== before
  })
}

interface Backend {
  readonly processId: number
}

async function backendOf(store: Store, session: Session): Promise<number | undefined> {
  const { rows } = await session.query<Backend>(store.text(READ_BACKEND))
  return rows[0]?.processId
}

/**
 * Whether a notification to ourselves arrives while nothing is under way on the session: with an answer it may come by
 * chance (docs/adr/0017-only-a-quiet-session-hears.md). Workers hear it too, and find no queue in it.
 */
async function hears(store: Store, session: Session): Promise<boolean> {
  const payload = `doctor ${randomUUID()}`
  const heard = new AbortController()
  await session.listen?.(store.wake.channel, (said) => {
    if (said === payload) heard.abort()
  })
  for (let tries = 0; tries < TRIES && !heard.signal.aborted; tries++) {
    await sleep(QUIET_MS)
    await readOnly(store, (tx) => notify(store, payload, tx))
    // Ends with a rejection when it is heard.
    await sleep(HEARS_WITHIN_MS, undefined, { signal: heard.signal }).catch(() => undefined)
  }
  return heard.signal.aborted
}
