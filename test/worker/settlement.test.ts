import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judge, type Outcome, type Verdict } from '../../src/core/judge.ts'
import { kindOf, withoutPayload, type Settlement } from '../../src/worker/settlement.ts'

const error = { name: 'Error', message: 'no', stack: null }

test.each<[string, Verdict, boolean, ReturnType<typeof kindOf>]>([
  ['a result', { to: 'finished', result: '1' }, false, 'finish'],
  ['a result after errors', { to: 'finished', result: undefined }, true, 'finish after errors'],
  ['the last failure', { to: 'failed', error }, true, 'fail'],
  ['the last failure, with a dead-letter queue', { to: 'dead-letter', error }, false, 'bury'],
  ['a failure', { to: 'available', afterMs: 0, countsAsAttempt: true, error }, false, 'retry'],
  [
    'a crash alone',
    { to: 'available', afterMs: 9, countsAsAttempt: true, error, suspect: true },
    false,
    'retry',
  ],
  [
    'a crash beside others',
    { to: 'available', afterMs: 0, countsAsAttempt: false, error, suspect: true },
    false,
    'suspect',
  ],
  ['a snooze', { to: 'available', afterMs: 1, countsAsAttempt: false }, false, 'snooze'],
  ['an interruption', { to: 'available', afterMs: 0, countsAsAttempt: false }, true, 'give back'],
])('%s is written down by the statement for it', (_, verdict, hadErrors, kind) => {
  expect(kindOf(verdict, hadErrors)).toBe(kind)
})

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ kind: fc.constant('returned' as const), result: fc.constantFrom(undefined, '1') }),
  fc.record({ kind: fc.constant('threw' as const), error: fc.constant(error) }),
  fc.record({ kind: fc.constant('discarded' as const), error: fc.constant(error) }),
  fc.record({ kind: fc.constant('snoozed' as const), afterMs: fc.integer({ min: 1, max: 1e9 }) }),
  fc.record({ kind: fc.constant('interrupted' as const) }),
  fc.record({
    kind: fc.constant('crashed' as const),
    error: fc.constant(error),
    ranAlone: fc.boolean(),
  }),
)

test('a run is counted by its statement exactly when the judge counts it, and no error is lost', () => {
  const counting = ['finish', 'finish after errors', 'fail', 'bury', 'retry']
  const noting = ['fail', 'bury', 'retry']
  fc.assert(
    fc.property(outcome, fc.nat(4), fc.nat(4), fc.boolean(), (ended, retries, spent, hasDlq) => {
      const run = { attempt: spent + 1, maxRetries: retries, retryPolicy: 'constant' as const }
      const delays = { baseRetryDelayMs: 10, maxRetryDelayMs: 10, retryJitter: 0 }
      const verdict = judge(run, ended, { ...delays, hasDlq })
      const kind = kindOf(verdict, false)
      const counts = verdict.to !== 'available' || verdict.countsAsAttempt
      expect(counting.includes(kind)).toBe(counts)
      expect(noting.includes(kind)).toBe(counts && 'error' in verdict)
    }),
  )
})

test('a result that the database refuses is left out; a run without one stays as it is', () => {
  const run = {
    id: '1',
    claimNo: '1',
    registration: { id: 1, lost: new AbortController().signal, isFresh: () => true },
    attempt: 1,
    priority: 5,
    startedAt: 0,
    runMs: 1,
    hadErrors: false,
    completed: false,
    errorAfter: undefined,
    isCancelled: false,
    isSettled: false,
    result: undefined,
  }
  const verdict: Verdict = { to: 'finished', result: '"x"' }
  const withResult: Settlement = { ...run, verdict, result: '"x"' }
  const without: Settlement = { ...run, verdict }
  const failed: Settlement = { ...run, verdict: { to: 'failed', error } }
  expect(withoutPayload(withResult)).toEqual(without)
  expect(withoutPayload(without)).toBe(without)
  expect(withoutPayload(failed)).toBe(failed)
})
