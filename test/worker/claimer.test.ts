import { expect, test } from 'vitest'
import type { ClaimAnswer } from '../../src/store/claim-answer.ts'
import type { Store } from '../../src/store/store.ts'
import { LaneClaimer } from '../../src/worker/claimer.ts'

const REQUEST = { queueId: 1, workerId: 1, claimNo: 1, limit: 10, startsAtOnce: true }

/** A store whose claims find nothing at the given time; `during` is called while one is under way. */
function emptyStore(now: string, during: () => void): Store {
  const head = {
    rewind: '0',
    now,
    hasSuspects: false,
    isOwner: false,
    isPaused: false,
  } satisfies Partial<ClaimAnswer>
  return {
    run: async () => {
      await Promise.resolve()
      during()
      return [{ head: JSON.stringify(head) }]
    },
  } as unknown as Store
}

test('a job that this process commits during a claim is looked for by the next, however long its commit took', async () => {
  let isUnderWay = true
  const store = emptyStore('9000000', () => {
    if (isUnderWay) claimer.include(5, '1000000') // 8 s before the claim
  })
  const claimer: LaneClaimer = new LaneClaimer(store)
  await claimer.claim(REQUEST)
  const floors = claimer.pollFloors()
  expect(floors[5]).toMatchObject({ runAt: '799999' }) // the overlap below it
  expect(floors[4]).toMatchObject({ runAt: '8800000' })
  isUnderWay = false
  await claimer.claim(REQUEST)
  expect(claimer.pollFloors()[5]).toMatchObject({ runAt: '8800000' })
})

test('a job that failed and is due again at once is looked for, though a claim was under way when it was written down', async () => {
  let isUnderWay = true
  const store = emptyStore('9000000', () => {
    if (isUnderWay) claimer.retried({ priority: 5, startedAt: 1_000_000, runMs: 7_700.0005 })
  })
  const claimer: LaneClaimer = new LaneClaimer(store)
  await claimer.claim(REQUEST)
  expect(claimer.pollFloors()[5]).toMatchObject({ runAt: '8299999' }) // before the time of its failure
  expect(claimer.pollFloors()[4]).toMatchObject({ runAt: '8800000' })
  isUnderWay = false
  await claimer.claim(REQUEST)
  expect(claimer.pollFloors()[5]).toMatchObject({ runAt: '8800000' })
})
