import { inspect } from 'node:util'
import { Querier, type JobQueue } from '../../src/index.ts'
import { describeEachDatabase, expect } from '../support/fixtures.ts'
import { refusal } from './arrange.ts'

const CALLS = ['cancelWhere', 'retryWhere', 'deleteWhere', 'redriveWhere'] as const

/** What an untyped caller sees of a queue or a `Querier`. */
type Door = Record<(typeof CALLS)[number], (filter: unknown, options?: unknown) => Promise<unknown>>

type Mistake = readonly [filter: unknown, place: string, part: string]

/** What no filter may be. */
const FILTERS: readonly Mistake[] = [
  [undefined, 'filter', '{ all: true }'],
  [{}, 'filter', '{ all: true }'],
  [{ all: false }, 'filter', '{ all: true }'],
  [{ status: undefined, errorText: undefined }, 'filter', '{ all: true }'],
  [null, 'filter', 'a plain object'],
  ['failed', 'filter', 'a plain object'],
  [['1'], 'filter', 'a plain object'],
  [{ all: 1 }, 'all', 'true or false'],
  [{ all: 'true' }, 'all', 'true or false'],
  [{ status: 'dead' }, 'status', 'one of available'],
  [{ status: ['failed'] }, 'status', 'one of available'],
  [{ olderThan: '1 day' }, 'olderThan', 'it takes milliseconds'],
  [{ newerThan: -1 }, 'newerThan', 'from 0 ms to ten years'],
  [{ errorText: '' }, 'errorText', '1 to 1,000 characters'],
  [{ errorText: 'x'.repeat(1_001) }, 'errorText', '1 to 1,000 characters'],
  [{ errorText: '\ud83d' }, 'errorText', '1 to 1,000 characters'],
  [{ errorText: /x/ }, 'errorText', '1 to 1,000 characters'],
  [{ metadata: {} }, 'metadata', 'at least one key'],
  [{ metadata: { tenant: undefined } }, 'metadata', 'at least one key'],
  [{ metadata: null }, 'metadata', 'a plain object of JSON values'],
  [{ metadata: '{"tenant":7}' }, 'metadata', 'a plain object of JSON values'],
  [{ metadata: { tenant: 7n } }, 'metadata.tenant', 'pass a string or a number'],
  [{ metadata: { tenant: '\u0000' } }, 'metadata.tenant', 'remove it'],
  [{ error: 'x' }, 'error', 'errorText'],
  [{ all: true, limit: 5 }, 'limit', 'second parameter'],
  [{ all: true, dryRun: true }, 'dryRun', 'second parameter'],
]

/** What no second parameter may be. */
const OPTIONS: readonly Mistake[] = [
  [null, 'options', 'a plain object'],
  [{ limit: 0 }, 'limit', 'an integer from 1'],
  [{ limit: Infinity }, 'limit', 'an integer from 1'],
  [{ dryRun: 'yes' }, 'dryRun', 'true or false'],
  [{ signal: {} }, 'signal', 'an AbortSignal'],
  [{ onBatch: 'log' }, 'onBatch', 'a function'],
  [{ dryrun: true }, 'dryrun', 'did you mean "dryRun"'],
  [{ status: 'failed' }, 'status', 'it takes dryRun, limit'],
]

describeEachDatabase('a filter that is a mistake', (test) => {
  for (const call of CALLS) {
    test(`to ${call} is refused, and changes nothing`, async ({ openQueue, db, schema }) => {
      const queue: JobQueue = openQueue(
        (job) => {
          if (job.args === 'failed') throw new Error('no')
        },
        { dlq: 'dead' },
      )
      await queue.enqueueMany(['failed', 'finished'].map((args) => ({ args, maxRetries: 0 })))
      await queue.drain()
      const { id } = await queue.enqueue('cancelled')
      await queue.cancel(id)
      await queue.enqueue('available')
      const querier = new Querier(db, { schema })
      const everything = () => Promise.all(['default', 'dead'].map((name) => querier.list(name)))
      const before = await everything()
      const ofQueue = queue as unknown as Door
      const ofQuerier = querier as unknown as Door
      for (const door of [
        ofQueue,
        openQueue({ queueName: 'dead' }) as unknown as Door,
        ofQuerier,
      ]) {
        for (const [filter, place, part] of FILTERS) await check(door[call](filter), place, part)
        for (const [options, place, part] of OPTIONS) {
          await check(door[call]({ all: true }, options), place, part)
        }
        const part = call === 'redriveWhere' ? 'a function' : 'it takes dryRun'
        await check(door[call]({ all: true }, { edit: 7 }), 'edit', part)
      }
      // The name of a queue alone is no filter; and a queue knows its own.
      await check(ofQuerier[call]({ queueName: 'default' }), 'filter', '{ all: true }')
      await check(ofQuerier[call]({ queueName: '', all: true }), 'queueName', '1 to 200 characters')
      await check(
        ofQueue[call]({ queueName: 'default', all: true }),
        'queueName',
        'it takes status',
      )
      expect(await everything()).toEqual(before)
    })
  }
})

async function check(call: Promise<unknown>, place: string, part: string): Promise<void> {
  const { code, message, details } = await refusal(call)
  const name = `${place}: ${message}`
  expect.soft({ code, place: details['option'] }, name).toEqual({ code: 'INVALID_OPTION', place })
  expect.soft(`${message} ${inspect(details)}`).toContain(part)
  expect.soft(message, name).toMatch(/^[^\n]+\.$/)
  expect.soft(message.length, name).toBeLessThan(600)
  expect.soft(() => JSON.stringify(details), name).not.toThrow()
}
