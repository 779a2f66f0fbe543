import { describe } from 'vitest'
import { Querier, type JobQueue, type JobRecord, type RedriveManyOptions } from '../../src/index.ts'
import {
  describeEachDatabase,
  expect,
  test as onServer,
  type Fixtures,
} from '../support/fixtures.ts'
import { errorOf, inTransaction, openTransaction, refusal } from './arrange.ts'

interface Letter {
  to: string
  times?: number
}

/** A queue whose letters to nobody go to the dead-letter queue, and that queue. */
function opened({ openQueue }: Pick<Fixtures, 'openQueue'>): {
  queue: JobQueue<Letter, void>
  dead: JobQueue<Letter>
  ran: Letter[]
} {
  const ran: Letter[] = []
  const queue = openQueue<Letter, void>(
    ({ args }) => {
      if (args.to === 'nobody') throw new TypeError('No such address')
      if (args.to === 'too soon') throw new RangeError('The post is closed')
      ran.push(args)
    },
    { queueName: 'letters', dlq: 'dead' },
  )
  return { queue, dead: openQueue<Letter>({ queueName: 'dead' }), ran }
}

/** Enqueues letters that will not do, and drains; answers their ids. */
async function buried(
  queue: JobQueue<Letter, void>,
  letters: readonly Letter[],
): Promise<string[]> {
  const items = letters.map((args, n) => ({ args, maxRetries: 0, metadata: { tenant: n % 2 } }))
  const jobs = await queue.enqueueMany(items)
  await queue.drain({ concurrency: 50 })
  return jobs.map(({ id }) => id)
}

const nobody = (count: number): Letter[] => Array.from({ length: count }, () => ({ to: 'nobody' }))

describeEachDatabase('redriveMany', (test) => {
  test('sends back those that are named, as they are, and answers which', async ({ openQueue }) => {
    const { queue, dead } = opened({ openQueue })
    const [a = '', b = '', c = '', d = ''] = await buried(queue, nobody(4))
    const own = await dead.enqueue({ to: 'own' })
    await dead.cancel(c)
    const before = await dead.get(b)
    expect(await dead.redriveMany([d, b, b, c, own.id, '987654'])).toEqual([b, d])
    expect(await queue.get(b)).toEqual({
      ...before,
      ...{ queueName: 'letters', originQueue: null, scheduledAt: expect.any(Date) as Date },
    })
    expect(await dead.counts()).toMatchObject({ available: 2, cancelled: 1 })
    expect(await dead.redriveMany([])).toEqual([])
    expect(await openQueue({ queueName: 'unknown' }).redriveMany([a])).toEqual([])
    expect(await dead.redriveMany([a])).toEqual([a])
  })

  test('with edited arguments keeps id, metadata, errors and retries', async ({
    openQueue,
    rows,
  }) => {
    const { queue, dead, ran } = opened({ openQueue })
    const [id = ''] = await buried(queue, nobody(1))
    // Digits that a number of JavaScript's would lose.
    await rows(`update {schema}.jobs set metadata = '{"n": 12345678901234567890.123}'`)
    const before = await dead.get(id)
    const seen: JobRecord<Letter>[] = []
    const edit = (job: JobRecord<Letter>): Letter => {
      seen.push(job)
      return { ...job.args, to: 'ada', times: job.errorCount }
    }
    expect(await dead.redriveMany([id], { edit })).toEqual([id])
    expect(seen).toEqual([before])
    expect(await queue.get(id)).toEqual({
      ...before,
      ...{ args: { to: 'ada', times: 1 }, queueName: 'letters', originQueue: null },
      scheduledAt: expect.any(Date) as Date,
    })
    const stored = 'select metadata::text from {schema}.jobs'
    expect(await rows(stored)).toEqual([{ metadata: '{"n": 12345678901234567890.123}' }])
    expect(await queue.drain()).toMatchObject({ finished: 1 })
    expect(ran).toEqual([{ to: 'ada', times: 1 }])
  })

  test('stores whatever enqueue would, null and hostile values among it', async ({ openQueue }) => {
    const { queue, dead } = opened({ openQueue })
    const values = [
      null,
      `'"}],"args":1`,
      '\\u0000 {schema} $5',
      { args: { args: [] } },
      1e308,
      [[]],
    ]
    const ids = await buried(queue, nobody(values.length))
    const edit = ({ id }: JobRecord): never => values[ids.indexOf(id)] as never
    expect(await dead.redriveMany(ids, { edit })).toEqual(ids)
    for (const [n, id] of ids.entries()) expect((await queue.get(id))?.args).toEqual(values[n])
  })

  test('takes jobs back in portions, however large their arguments become', async ({
    openQueue,
  }) => {
    const { queue, dead } = opened({ openQueue })
    const ids = await buried(queue, nobody(1_100))
    const text = Array.from({ length: 300 }, (_, n) => ((n * 7_919) ** 2).toString(36)).join()
    const edit = ({ id }: JobRecord): Letter => ({ to: `${id} ${text}` })
    expect(await dead.redriveMany(ids.toReversed(), { edit })).toEqual(ids)
    expect(await queue.counts()).toMatchObject({ available: 1_100 })
    expect((await queue.get(ids[1_099] ?? ''))?.args.to).toBe(`${ids[1_099]} ${text}`)
  })

  const editors: [name: string, edit: unknown, expected: object][] = [
    ['returns nothing', () => undefined, { code: 'INVALID_ARGS', message: /^jobs\["\d+"\]\.args .*pass null/ }],
    ['returns what JSON cannot carry', () => ({ to: 1n }), { code: 'INVALID_ARGS', message: /args\.to is the BigInt 1n/ }],
    ['returns too much', () => 'x'.repeat(200), { code: 'ARGS_TOO_LARGE', message: /maxArgsBytes/ }],
    ['returns a promise', async () => ({ to: 'ada' }), { code: 'INVALID_OPTION', message: /"edit".*a Promise.*at once/ }],
    ['returns a promise that fails', () => Promise.reject(new Error('later')), { code: 'INVALID_OPTION' }],
    ['throws', () => { throw new RangeError('mine') }, { name: 'RangeError', message: 'mine' }],
  ] // prettier-ignore

  test('changes nothing when the edit of one job fails', async ({ openQueue, db, schema, rows }) => {
    const { queue } = opened({ openQueue })
    const dead = openQueue<Letter>({ queueName: 'dead', maxArgsBytes: 100 })
    const ids = await buried(queue, nobody(3))
    const before = await rows('select * from {schema}.jobs order by id')
    for (const [name, edit, { message, ...expected }] of editors as [string, () => Letter, { message?: RegExp }][]) {
      const lastFails = (job: JobRecord<Letter>): Letter => (job.id === ids[2] ? edit() : { to: 'ada' })
      const error = await errorOf(dead.redriveMany(ids, { edit: lastFails }))
      expect.soft(error, name).toMatchObject(expected)
      if (message !== undefined) expect.soft((error as Error).message, name).toMatch(message)
      expect.soft(await rows('select * from {schema}.jobs order by id'), name).toEqual(before)
    }
    // Somebody may go on in a transaction after an error, and commit.
    await inTransaction(db, async (tx) => {
      const inside = new Querier(db, { schema }).withTx(tx)
      const edit = (): never => {
        throw new RangeError('mine')
      }
      expect(await errorOf(inside.redriveMany('dead', ids, { edit }))).toBeInstanceOf(RangeError)
    })
    expect(await rows('select * from {schema}.jobs order by id')).toEqual(before)
  }) // prettier-ignore

  test('refuses bad input', async ({ openQueue, db, schema }) => {
    const { queue, dead } = opened({ openQueue })
    const [id = ''] = await buried(queue, nobody(1))
    const querier = new Querier(db, { schema })
    for (const door of [
      (ids: never, options?: never) => dead.redriveMany(ids, options),
      (ids: never, options?: never) => querier.redriveMany('dead', ids, options),
    ]) {
      for (const [ids, options, place] of [
        [id, undefined, 'ids'],
        [undefined, undefined, 'ids'],
        [[id], null, 'options'],
        [[id], { edit: 7 }, 'edit'],
        [[id], { edit: null }, 'edit'],
        [[id], { limit: 1 }, 'limit'],
      ] as [never, never, string][]) {
        const { code, details } = await refusal(door(ids, options))
        expect({ code, place: details['option'] }).toEqual({ code: 'INVALID_OPTION', place })
      }
      for (const ids of [[id, 7], [''], [, id]] as never[]) { // oxlint-disable-line no-sparse-arrays -- the mistake
        expect((await refusal(door(ids))).code).toBe('INVALID_JOB_ID')
      }
    }
    expect(await dead.counts()).toMatchObject({ available: 1 })
  }) // prettier-ignore

  test('in a transaction sends back when it commits, and wakes who sleeps', async ({
    openQueue,
    receive,
    seen,
    db,
    schema,
  }) => {
    const { queue } = opened({ openQueue })
    const sleeper = openQueue<Letter, void>(() => undefined, { queueName: 'letters', dlq: 'dead', pollInterval: '1h' })
    const [id = ''] = await buried(queue, nobody(1))
    receive(sleeper)
    await seen('claim.made', { queueName: 'letters' })
    await inTransaction(db, async (tx) => {
      const inside = new Querier(db, { schema }).withTx(tx)
      const options: RedriveManyOptions<Letter> = { edit: ({ args }) => ({ ...args, to: 'ada' }) }
      expect(await inside.redriveMany('dead', [id], options)).toEqual([id])
    })
    await seen('job.finished', id)
    expect(await queue.get(id)).toMatchObject({ args: { to: 'ada' }, status: 'finished' })
  }) // prettier-ignore
})

describeEachDatabase('redriveWhere', (test) => {
  test('sends back what the filter chooses: by error, age and metadata', async ({
    openQueue,
    rows,
  }) => {
    const { queue, dead } = opened({ openQueue })
    const letters = [...nobody(4), { to: 'too soon' }, { to: 'too soon' }]
    const ids = await buried(queue, letters)
    const own = await dead.enqueue({ to: 'own' }, { metadata: { tenant: 1 } })
    const preview = await dead.redriveWhere({ errorText: 'closed' }, { dryRun: true })
    expect(preview).toMatchObject({ count: 2, isExact: true, sample: [{ id: ids[4] }, { id: ids[5] }] })
    expect(await dead.redriveWhere({ errorText: 'closed' })).toEqual({ changed: 2, refused: 0 })
    expect(await queue.counts()).toMatchObject({ available: 2 })
    expect(await dead.redriveWhere({ metadata: { tenant: 1 } }, { limit: 1 })).toEqual({ changed: 1, refused: 0 })
    expect(await queue.get(ids[1] ?? '')).toMatchObject({ queueName: 'letters' })
    await rows(`update {schema}.jobs set created_at = created_at - interval '2 h' where id = $1::int8`, [ids[0]])
    expect(await dead.redriveWhere({ olderThan: '1h' })).toEqual({ changed: 1, refused: 0 })
    expect(await dead.redriveWhere({ all: true })).toEqual({ changed: 2, refused: 0 })
    expect(await dead.get(own.id)).toMatchObject({ queueName: 'dead', status: 'available' })
  }) // prettier-ignore

  test('edits arguments on the way, and shows them in a dry run', async ({ openQueue }) => {
    const { queue, dead, ran } = opened({ openQueue })
    await buried(queue, nobody(3))
    const edit = (job: JobRecord<Letter>): Letter => ({ to: 'ada', times: Number(job.metadata['tenant']) })
    const preview = await dead.redriveWhere({ all: true }, { dryRun: true, edit })
    expect(preview.sample.map(({ args }) => args.times)).toEqual([0, 1, 0])
    expect(await dead.counts()).toMatchObject({ available: 3 })
    const bad = dead.redriveWhere({ all: true }, { dryRun: true, edit: () => 1n as never })
    expect((await refusal(bad)).code).toBe('INVALID_ARGS')
    expect(await dead.redriveWhere({ all: true }, { edit })).toEqual({ changed: 3, refused: 0 })
    await queue.drain({ concurrency: 1 })
    expect(ran).toEqual([0, 1, 0].map((times) => ({ to: 'ada', times })))
  }) // prettier-ignore

  test('of a Querier goes through all dead-letter queues, a step at a time', async ({
    openQueue,
    db,
    schema,
  }) => {
    const fail = (): never => {
      throw new Error('no')
    }
    const items = Array.from({ length: 3 }, (_, args) => ({ args, maxRetries: 0 }))
    for (const name of ['a', 'b']) {
      const queue = openQueue(fail, { queueName: name, dlq: `dead ${name}` })
      await queue.enqueueMany(items)
      await queue.drain()
    }
    const querier = new Querier(db, { schema })
    expect(await querier.redriveWhere({ all: true }, { limit: 4 })).toEqual({ changed: 4, refused: 0 })
    expect(await querier.counts('a')).toMatchObject({ available: 3 })
    expect(await querier.redriveWhere({ queueName: 'dead b', all: true })).toMatchObject({ changed: 2 })
    expect(await querier.counts('b')).toMatchObject({ available: 3 })
  }) // prettier-ignore
})

describe('redrive beside others', () => {
  onServer(
    'leaves a dead letter that somebody edits, and takes the edited one later',
    async ({ openQueue, db, schema }) => {
      const { queue, dead } = opened({ openQueue })
      const [edited = '', other = ''] = await buried(queue, nobody(2))
      const editor = await openTransaction({ db, schema })
      await editor.querier.edit<Letter>('dead', edited, { args: { to: 'eve' } })
      const edit = ({ args }: JobRecord<Letter>): Letter => ({ ...args, times: 2 })
      expect(await dead.redriveMany([edited, other], { edit })).toEqual([other])
      await editor.end('commit')
      expect(await dead.redriveMany([edited, other], { edit })).toEqual([edited])
      expect((await queue.get(edited))?.args).toEqual({ to: 'eve', times: 2 })
    },
  )

  onServer('twice at the same time sends each job back once', async ({ openQueue }) => {
    const { queue, dead } = opened({ openQueue })
    const ids = await buried(queue, nobody(1_500))
    const answers = await Promise.all([
      dead.redriveMany(ids),
      dead.redriveMany(ids, { edit: ({ args }) => args }),
      dead.redriveWhere({ all: true }),
      dead.redrive(),
    ])
    const [one, two, { changed }, rest] = answers
    expect(one.length + two.length + changed + rest).toBe(1_500)
    expect(new Set([...one, ...two]).size).toBe(one.length + two.length)
    expect(await queue.counts()).toMatchObject({ available: 1_500 })
    expect(await dead.counts()).toMatchObject({ available: 0 })
  })
})
