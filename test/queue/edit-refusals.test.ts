import { Querier, type JobChanges } from '../../src/index.ts'
import { describeEachDatabase, expect } from '../support/fixtures.ts'
import { inTransaction, refusal } from './arrange.ts'

const STORED = `
  select
    priority::int4, max_retries::int4 as retries, timeout_ms::int4 as timeout, run_at::text, args, metadata
  from {schema}.jobs where id = $1::int8`

/** Fails every run. */
const failing = (): never => {
  throw new Error('on purpose')
}

describeEachDatabase('an edit in a FIFO queue', (test) => {
  test('leaves the order alone, and mends the head that holds the others', async ({
    openQueue,
  }) => {
    const order: unknown[] = []
    const queue = openQueue<string, void>(
      (job) => {
        if (job.args === 'bad') failing()
        order.push(job.args)
      },
      { fifo: true, baseRetryDelay: 0 },
    )
    const jobs = await queue.enqueueMany(['bad', 'second', 'third'].map((args) => ({ args })))
    await queue.drain({ limit: 1 })
    await queue.edit(jobs[2]?.id ?? '', { args: 'last', metadata: { n: 1 }, timeout: '1m' })
    await queue.edit(jobs[0]?.id ?? '', { args: 'first', maxRetries: 9 })
    expect(await queue.drain()).toMatchObject({ finished: 3 })
    expect(order).toEqual(['first', 'second', 'last'])
  })

  test('refuses priority and time, by whichever door', async ({ openQueue, rows, db, schema }) => {
    const ledger = openQueue({ queueName: 'ledger', fifo: true })
    const { id } = await ledger.enqueue('open')
    // A process that only looks may not know the mode.
    const stranger = openQueue({ queueName: 'ledger' })
    const querier = new Querier(db, { schema })
    const before = await rows(STORED, [id])
    for (const [option, value] of [['priority', 0], ['delay', 0], ['runAt', new Date(0)]] as const) {
      for (const edit of [
        () => ledger.edit(id, { args: 'no', [option]: value }),
        () => stranger.edit(id, { args: 'no', [option]: value }),
        () => querier.edit('ledger', id, { args: 'no', [option]: value }),
        () => inTransaction(db, (tx) => querier.withTx(tx).edit('ledger', id, { [option]: value })),
      ]) {
        const { code, details, message } = await refusal(edit())
        expect({ code, option: details['option'] }).toEqual({ code: 'INVALID_OPTION', option })
        expect(message).toContain('a FIFO queue runs its jobs in the order')
      }
      expect(await rows(STORED, [id])).toEqual(before)
    }
    // Whether there is anything to refuse is only known of a job that waits.
    expect(await querier.edit('ledger', '999999', { priority: 0 })).toBeUndefined()
  }) // prettier-ignore

  test('refuses them too where the dead-letter queue alone is FIFO', async ({ openQueue }) => {
    const dead = openQueue({ queueName: 'dead', fifo: true })
    await dead.enqueue('decides the mode')
    const queue = openQueue(failing, { queueName: 'work', dlq: 'dead' })
    const { id } = await queue.enqueue('bad', { maxRetries: 0 })
    await queue.drain()
    expect((await refusal(queue.edit(id, { priority: 0 }))).details['option']).toBe('priority')
    expect(await queue.edit(id, { args: 'good' })).toMatchObject({ queueName: 'dead' })
  })
})

const mistakes: readonly (readonly [changes: unknown, place: string, part: string])[] = [
  [undefined, 'changes', 'names nothing to change'],
  [{}, 'changes', 'pass one of args, maxRetries'],
  [{ priority: undefined }, 'changes', 'names nothing to change'],
  [null, 'changes', 'a plain object of options'],
  [[], 'changes', 'a plain object of options'],
  [{ priority: 10 }, 'priority', 'an integer from 0 to 9'],
  [{ priority: null }, 'priority', 'an integer from 0 to 9'],
  [{ priority: '1' }, 'priority', 'an integer from 0 to 9'],
  [{ delay: 'soon' }, 'delay', 'it takes milliseconds'],
  [{ delay: -1 }, 'delay', 'from 0 ms to ten years'],
  [{ delay: 1, runAt: new Date() }, 'delay', 'either delay or runAt'],
  [{ runAt: '2030-01-01' }, 'runAt', 'a valid Date'],
  [{ runAt: new Date(Number.NaN) }, 'runAt', 'a valid Date'],
  [{ maxRetries: 1.5 }, 'maxRetries', 'an integer from 0 to 32,767'],
  [{ retryPolicy: 'Linear' }, 'retryPolicy', `'constant', 'linear' or 'exponential'`],
  [{ timeout: 0 }, 'timeout', 'from 1 ms'],
  [{ metadata: null }, 'metadata', 'a plain object of JSON values'],
  [{ metadata: { n: 1n } }, 'metadata.n', 'pass a string or a number'],
  [{ prio: 1 }, 'prio', 'did you mean "priority"'],
  [{ priorty: 1 }, 'priorty', 'did you mean "priority"'],
  [{ tx: {} }, 'tx', 'it takes args, maxRetries'],
  [{ args: 1n }, 'args', 'pass a string or a number'],
  [{ args: { a: [1, undefined] } }, 'args.a[1]', 'pass null'],
  [{ args: '\u0000' }, 'args', 'remove it'],
  [{ args: 'x'.repeat(200), priority: 0 }, 'args', 'raise maxArgsBytes'],
]

describeEachDatabase('bad input to edit', (test) => {
  test('is refused with the place, the value and the remedy, and changes nothing', async ({
    openQueue,
    db,
    schema,
    rows,
  }) => {
    const queue = openQueue({ maxArgsBytes: 100 })
    const { id } = await queue.enqueue('as it was')
    const querier = new Querier(db, { schema })
    const before = await rows(STORED, [id])
    for (const [changes, place, part] of mistakes) {
      const doors = [() => queue.edit(id, changes as JobChanges)]
      if (part !== 'raise maxArgsBytes')
        doors.push(() => querier.edit('default', id, changes as JobChanges))
      for (const door of doors) {
        const { message, details } = await refusal(door())
        expect.soft(details['option'] ?? details['path'], message).toBe(place)
        expect.soft(message).toContain(part)
        expect.soft(message).toMatch(/^[^\n]+\.$/)
        expect.soft(() => JSON.stringify(details)).not.toThrow()
      }
    }
    for (const bad of [42, '042', '', null, undefined]) {
      const { code } = await refusal(queue.edit(bad as string, { args: 1 }))
      expect.soft(code).toBe('INVALID_JOB_ID')
    }
    expect(await rows(STORED, [id])).toEqual(before)
  })
})
