import { expect, test } from 'vitest'
import { resolveJobChanges } from '../../src/core/job-changes.ts'
import { expectRefusal, hostileValues } from './refusal.ts'

const rules = { fifo: false, maxArgsBytes: 1_000 }
const UNCHANGED = {
  ...{ argsJson: null, metadataJson: null, maxRetries: null, retryPolicy: null },
  ...{ priority: null, timeoutMs: null, delayMs: null, runAtMs: null },
}

test.each<[object, object]>([
  [{ args: null }, { argsJson: 'null' }],
  [{ args: { a: undefined } }, { argsJson: '{}' }],
  [{ metadata: {} }, { metadataJson: '{}' }],
  // What happens to be the default of enqueue is a change all the same.
  [{ maxRetries: 3 }, { maxRetries: 3 }],
  [{ retryPolicy: 'exponential' }, { retryPolicy: 'exponential' }],
  [{ priority: 5, delay: undefined }, { priority: 5 }],
  [{ priority: -0 }, { priority: 0 }],
  [{ timeout: '1s' }, { timeoutMs: 1_000 }],
  [{ timeout: null }, { timeoutMs: 0 }],
  [{ delay: 0 }, { delayMs: 0 }],
  [{ runAt: new Date(7) }, { runAtMs: 7 }],
])('%o changes that and nothing else', (changes, expected) => {
  expect(resolveJobChanges(changes, rules)).toMatchObject({ ...UNCHANGED, ...expected })
})

test('a FIFO queue refuses what would move the job, at once or when it is known to be one', () => {
  const fifo = { ...rules, fifo: true }
  for (const changes of [{ priority: 5 }, { delay: 0 }, { runAt: new Date() }]) {
    const [name = ''] = Object.keys(changes)
    expectRefusal(() => resolveJobChanges(changes, fifo), 'INVALID_OPTION', name, 'leave it out')
    const resolved = resolveJobChanges(changes, rules)
    expectRefusal(() => resolved.refuseInFifo(), 'INVALID_OPTION', name, 'leave it out')
  }
  const harmless = { args: 1, metadata: {}, maxRetries: 1, timeout: null }
  expect(() => resolveJobChanges(harmless, fifo).refuseInFifo()).not.toThrow()
})

test.each(hostileValues())('%s is refused, in whichever place', (_name, value) => {
  expectRefusal(() => resolveJobChanges(value, rules), 'INVALID_OPTION')
  expectRefusal(() => resolveJobChanges({ priority: value }, rules), 'INVALID_OPTION', 'priority')
  expectRefusal(() => resolveJobChanges({ timeout: value }, rules), 'INVALID_OPTION', 'timeout')
})
