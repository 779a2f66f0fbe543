import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Discard } from '../../src/core/discard.ts'
import { judge, outcomeOfThrown, type Attempted, type Outcome } from '../../src/core/judge.ts'
import { RetryPolicy } from '../../src/core/retry.ts'
import { Snooze } from '../../src/core/snooze.ts'
import { hostileValues } from './refusal.ts'

const error = { name: 'Error', message: 'boom', stack: null }
const policy = {
  baseRetryDelayMs: 2_000,
  maxRetryDelayMs: 3_600_000,
  retryJitter: 0,
  hasDlq: false,
}
const withDlq = { ...policy, hasDlq: true }

function run(attempt: number, maxRetries = 3): Attempted {
  return { attempt, maxRetries, retryPolicy: 'exponential' }
}

test('a run that returned finishes its job, with its result', () => {
  const outcome: Outcome = { kind: 'returned', result: '{"sent":true}' }
  expect(judge(run(1), outcome, policy)).toEqual({ to: 'finished', result: '{"sent":true}' })
})

describe('a run that threw', () => {
  const threw: Outcome = { kind: 'threw', error }

  test.each([
    [1, 2_000],
    [2, 4_000],
    [3, 8_000],
  ])('is retried after run %d in %d ms', (attempt, afterMs) => {
    const verdict = { to: 'available', afterMs, countsAsAttempt: true, error }
    expect(judge(run(attempt), threw, policy)).toEqual(verdict)
  })

  test('fails for good when its retries are exhausted: 3 retries are 4 runs', () => {
    expect(judge(run(4), threw, policy)).toEqual({ to: 'failed', error })
  })

  test('goes to the dead-letter queue then, where there is one', () => {
    expect(judge(run(4), threw, withDlq)).toEqual({ to: 'dead-letter', error })
  })

  test('without retries fails at once', () => {
    expect(judge(run(1, 0), threw, policy)).toEqual({ to: 'failed', error })
  })

  test('uses the jitter of the queue and the random numbers it is given', () => {
    const jittery = { ...policy, retryJitter: 0.5, random: () => 0 }
    expect(judge(run(1), threw, jittery)).toMatchObject({ afterMs: 1_000 })
  })
})

test('a discarded job is not retried', () => {
  const discarded: Outcome = { kind: 'discarded', error }
  expect(judge(run(1), discarded, policy)).toEqual({ to: 'failed', error })
  expect(judge(run(1), discarded, withDlq)).toEqual({ to: 'dead-letter', error })
})

test('a snoozed job comes again and loses no attempt, also in its last run', () => {
  const verdict = { to: 'available', afterMs: 5_000, countsAsAttempt: false }
  expect(judge(run(4), { kind: 'snoozed', afterMs: 5_000 }, policy)).toEqual(verdict)
})

test('an interrupted run is taken back', () => {
  const verdict = { to: 'available', afterMs: 0, countsAsAttempt: false }
  expect(judge(run(4), { kind: 'interrupted' }, policy)).toEqual(verdict)
})

describe('a crash', () => {
  test('beside other jobs costs nothing, and makes a suspect', () => {
    const verdict = judge(run(4), { kind: 'crashed', error, ranAlone: false }, withDlq)
    expect(verdict).toEqual({
      to: 'available',
      afterMs: 0,
      countsAsAttempt: false,
      error,
      suspect: true,
    })
  })

  test('alone counts as a run that failed, and the job stays alone', () => {
    const verdict = judge(run(2), { kind: 'crashed', error, ranAlone: true }, policy)
    expect(verdict).toEqual({
      to: 'available',
      afterMs: 4_000,
      countsAsAttempt: true,
      error,
      suspect: true,
    })
  })

  test('alone in the last run ends the job', () => {
    const crashed: Outcome = { kind: 'crashed', error, ranAlone: true }
    expect(judge(run(4), crashed, policy)).toEqual({ to: 'failed', error })
    expect(judge(run(4), crashed, withDlq)).toEqual({ to: 'dead-letter', error })
  })

  test('of a job that kills its workers ends it after maxRetries + 1 crashes of its own and one beside others', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20 }),
        fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
        (maxRetries, company) => {
          const crashes = { alone: 0, beside: 0 }
          let attempt = 1
          let isSuspect = false
          for (const others of company) {
            const ranAlone = isSuspect || !others
            crashes[ranAlone ? 'alone' : 'beside'] += 1
            const verdict = judge(
              run(attempt, maxRetries),
              { kind: 'crashed', error, ranAlone },
              policy,
            )
            if (verdict.to === 'failed') break
            if (verdict.to !== 'available') throw new Error('unexpected')
            isSuspect ||= verdict.suspect === true
            if (verdict.countsAsAttempt) attempt += 1
          }
          expect(crashes.alone).toBe(maxRetries + 1)
          expect(crashes.beside).toBeLessThanOrEqual(1)
        },
      ),
    )
  })
})

test('whatever its runs come to, a job that fails has had exactly maxRetries + 1 runs that counted', () => {
  const outcome = fc.constantFrom<Outcome>(
    { kind: 'threw', error },
    { kind: 'snoozed', afterMs: 1 },
    { kind: 'interrupted' },
    { kind: 'crashed', error, ranAlone: false },
    { kind: 'crashed', error, ranAlone: true },
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 10 }),
      fc.constantFrom(...Object.values(RetryPolicy)),
      fc.array(outcome, { maxLength: 100 }),
      (maxRetries, retryPolicy, outcomes) => {
        let counted = 0
        for (const each of outcomes) {
          const verdict = judge({ attempt: counted + 1, maxRetries, retryPolicy }, each, policy)
          if (verdict.to === 'failed') return counted === maxRetries
          if (verdict.to === 'available' && verdict.countsAsAttempt) counted += 1
        }
        return counted <= maxRetries
      },
    ),
  )
})

describe('what was thrown', () => {
  test('a Snooze puts the job off', () => {
    expect(outcomeOfThrown(new Snooze('5m'))).toEqual({ kind: 'snoozed', afterMs: 300_000 })
  })

  test('a Snooze checks its delay when it is made', () => {
    // @ts-expect-error a unit that does not exist
    expect(() => new Snooze('5 minutes')).toThrow('The option "delay" cannot be "5 minutes"')
  })

  test('a Discard ends the job, with its message', () => {
    const outcome = outcomeOfThrown(new Discard('no such customer'))
    expect(outcome).toMatchObject({
      kind: 'discarded',
      error: { name: 'Discard', message: 'no such customer' },
    })
    expect(new Discard().message).toBe('Discarded by its worker')
  })

  test('a class of the user that extends Discard discards too', () => {
    class Unsubscribed extends Discard {}
    expect(outcomeOfThrown(new Unsubscribed('gone'))).toMatchObject({ kind: 'discarded' })
  })

  test('anything else is a failure', () => {
    expect(outcomeOfThrown(new TypeError('x'))).toMatchObject({
      kind: 'threw',
      error: { name: 'TypeError' },
    })
    expect(outcomeOfThrown(undefined)).toMatchObject({ kind: 'threw', error: { name: 'NonError' } })
  })

  test.each(hostileValues())('%s is a failure', (_, value) => {
    expect(outcomeOfThrown(value)).toMatchObject({ kind: 'threw' })
  })
})
