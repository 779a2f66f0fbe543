import { expect, test } from 'vitest'
import { MillraceError } from '../../src/core/errors.ts'
import { Registration } from '../../src/worker/registration.ts'

test('a lease holds until its time after the last heartbeat that was acknowledged was sent', () => {
  const registration = new Registration(1, 'token', 1_000, 500)
  expect(registration.isFresh(1_499)).toBe(true)
  expect(registration.isFresh(1_500)).toBe(false)
  registration.renew(1_400)
  expect(registration.isFresh(2_399)).toBe(true)
  expect(registration.isFresh(2_400)).toBe(false)
})

test('a lease that was shortened holds for the shorter time', () => {
  const registration = new Registration(1, 'token', 30_000, 0)
  registration.leaseMs = 1_000
  expect(registration.isFresh(999)).toBe(true)
  expect(registration.isFresh(1_000)).toBe(false)
})

test('a lost lease never comes back, whatever heartbeat is acknowledged late', () => {
  const registration = new Registration(4, 'token', 1_000, 0)
  registration.lose()
  registration.renew(10)
  expect(registration.isFresh(11)).toBe(false)
})

test('everyone who holds jobs of a lost lease is told, once, whose it was', () => {
  const registration = new Registration(4, 'token', 1_000, 0)
  let told = 0
  registration.lost.addEventListener('abort', () => (told += 1))
  registration.lose()
  registration.lose()
  expect(told).toBe(1)
  const reason: unknown = registration.lost.reason
  expect(reason).toBeInstanceOf(MillraceError)
  expect(reason).toMatchObject({ code: 'LEASE_LOST', details: { workerId: 4 } })
})

test('claims are numbered from 1 and no number comes twice', () => {
  const registration = new Registration(1, 'token', 1_000, 0)
  expect([1, 2, 3].map(() => registration.nextClaimNo())).toEqual([1, 2, 3])
})
