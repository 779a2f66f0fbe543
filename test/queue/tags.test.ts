import { Querier } from '../../src/querier.ts'
import { describeEachDatabase, expect } from '../support/fixtures.ts'
import { countRows, inTransaction, refusal } from './arrange.ts'

/** What an array literal, JSON or a shell could take for something else. */
const HOSTILE = [
  'a"b',
  'a\\b',
  '{}',
  'null',
  'NULL',
  'a,b',
  "it's",
  '🐎 und Wagen',
  '$1',
  '%',
] as const

const UNFIT: readonly (readonly [unknown, string])[] = [
  ['import', 'The option "tags" cannot be "import"; it takes an array of texts such as "customer:42".'],
  [null, 'The option "tags" cannot be null; it takes an array of texts such as "customer:42".'],
  [[42], 'The option "tags[0]" cannot be 42; a tag is a text.'],
  [['a', undefined], 'The option "tags[1]" is missing; a tag is a text.'],
  [[''], 'The option "tags[0]" cannot be ""; a tag is a text of at least one character.'],
  [['x'.repeat(101)], `The option "tags[0]" cannot be "${'x'.repeat(60)}…" (101 characters); a tag has at most 100 characters, and this one 101.`],
  [[' a'], 'The option "tags[0]" cannot be " a"; a tag neither begins nor ends with white space; trim it.'],
  [['a\nb'], 'The option "tags[0]" cannot be "a\\nb"; a tag has no control characters.'],
  [['a\u0000'], 'The option "tags[0]" cannot be "a\\u0000"; a tag has no control characters.'],
  [['\ud800'], 'The option "tags[0]" cannot be "\\ud800"; it contains half a surrogate pair; use text.toWellFormed().'],
  [['a', 'b', 'a'], 'The option "tags[2]" cannot be "a"; it is there twice; name each tag once.'],
  [Array.from({ length: 11 }, (_, n) => String(n)), 'The option "tags" cannot be an array of 11; a job has at most 10 tags.'],
] // prettier-ignore

describeEachDatabase('tags', (test) => {
  test('are on the record as they were given, whatever they are', async ({ queue, rows }) => {
    const most = Array.from({ length: 10 }, (_, index) => `${index}${'x'.repeat(99)}`)
    const [one, none, empty, many] = await queue.enqueueMany([
      { args: 1, tags: HOSTILE },
      { args: 2 },
      { args: 3, tags: [] },
      { args: 4, tags: most, metadata: { other: true } },
    ])
    const alone = await queue.enqueue(5, { tags: HOSTILE })
    const alike = await queue.enqueueMany([6, 7].map((args) => ({ args, tags: [...HOSTILE] })))
    for (const job of [one, alone, ...alike]) {
      expect((await queue.get(job?.id ?? ''))?.tags).toEqual(HOSTILE)
    }
    expect((await queue.get(many?.id ?? ''))?.tags).toEqual(most)
    for (const job of [none, empty]) expect((await queue.get(job?.id ?? ''))?.tags).toEqual([])
    const [counted] = await rows('select count(*)::int4 as n from {schema}.jobs where tags is null')
    expect(counted).toEqual({ n: 2 })
  })

  test('of jobs that are enqueued together stay with their own', async ({ queue }) => {
    const jobs = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        queue.enqueue(n, n % 3 === 0 ? {} : { tags: [`n:${n}`, 'some'] }),
      ),
    )
    for (const [n, job] of jobs.entries()) {
      expect((await queue.get(job.id))?.tags).toEqual(n % 3 === 0 ? [] : [`n:${n}`, 'some'])
    }
  })

  test.for(UNFIT)('cannot be %j', async ([tags, message], { queue, rows }) => {
    const options = { tags: tags as string[] }
    await queue.enqueue('opens the queue')
    const before = await countRows(rows)
    const refused = await refusal(queue.enqueue(1, options))
    expect(refused).toMatchObject({ code: 'INVALID_OPTION', message })
    const inMany = await refusal(queue.enqueueMany([{ args: 1 }, { args: 2, ...options }]))
    expect(inMany.message).toBe(message.replace('"tags', '"jobs[1].tags'))
    expect((await refusal(queue.cancelWhere(options))).message).toBe(message)
    expect(await countRows(rows)).toEqual(before)
  })

  test('go along to history, to the dead letters, back, and again', async ({ openQueue }) => {
    let isBroken = true
    const queue = openQueue<string, void>(
      (job) => {
        if (job.args === 'fail' && isBroken) throw new Error('broken')
      },
      { dlq: 'dead', baseRetryDelay: 0 },
    )
    const tags = [...HOSTILE]
    const dead = openQueue({ queueName: 'dead' })
    const fine = await queue.enqueue('fine', { tags })
    const failed = await queue.enqueue('fail', { tags, maxRetries: 1, retryPolicy: 'constant' })
    const cancelled = await queue.enqueue('later', { tags, delay: '1d' })
    await queue.drain()
    await queue.cancel(cancelled.id)
    for (const [id, status] of [
      [fine.id, 'finished'],
      [failed.id, 'available'],
      [cancelled.id, 'cancelled'],
    ] as const) {
      expect(await queue.get(id)).toMatchObject({ status, tags })
    }
    expect(await dead.get(failed.id)).toMatchObject({ tags, originQueue: 'default' })
    await dead.redrive()
    expect(await queue.get(failed.id)).toMatchObject({ tags, originQueue: null })
    await queue.retry(cancelled.id)
    expect(await queue.get(cancelled.id)).toMatchObject({ status: 'available', tags })
    isBroken = false
    await queue.drain()
    expect(await queue.get(failed.id)).toMatchObject({ status: 'finished', tags })
  })

  test('stay when a job fails for good, and when its handler completes it', async ({
    openQueue,
    db,
  }) => {
    const queue = openQueue<boolean, void>(async (job, context) => {
      if (!job.args) throw new Error('on purpose')
      await inTransaction(db, (tx) => context.complete(tx))
    })
    const jobs = await queue.enqueueMany(
      [true, false].map((args) => ({ args, tags: ['kept'], maxRetries: 0 })),
    )
    await queue.drain()
    for (const { id } of jobs) expect(await queue.get(id)).toMatchObject({ tags: ['kept'] })
  })

  test('are filtered by in lists and in what is done to many', async ({
    openQueue,
    db,
    schema,
  }) => {
    const queue = openQueue(() => undefined)
    const [a, b, both] = await queue.enqueueMany([
      { args: 1, tags: ['import', 'customer:1'] },
      { args: 2, tags: ['customer:2'] },
      { args: 3, tags: ['customer:2', 'import'] },
      { args: 4 },
    ])
    const querier = new Querier(db, { schema })
    const ids = async (tags: string[], rest: object = {}): Promise<string[]> =>
      (await querier.list('default', { tags, ...rest })).map(({ id }) => id)
    expect(await ids(['import'])).toEqual([a?.id, both?.id])
    expect(await ids(['import'], { order: 'newest' })).toEqual([both?.id, a?.id])
    expect(await ids(['import', 'customer:2'])).toEqual([both?.id])
    expect(await ids(['Import'])).toEqual([])
    expect(await querier.listIds('default', { tags: ['customer:2'] })).toEqual([b?.id, both?.id])
    expect(await queue.cancelWhere({ tags: ['import'] }, { dryRun: true })).toMatchObject({
      count: 2,
      sample: [{ tags: ['import', 'customer:1'] }, { tags: ['customer:2', 'import'] }],
    })
    expect(await queue.cancelWhere({ tags: ['customer:1'] })).toEqual({ changed: 1, refused: 0 })
    await queue.drain()
    expect(await ids(['import'], { status: 'finished' })).toEqual([both?.id])
    expect(await queue.deleteWhere({ tags: ['import', 'customer:2'] })).toMatchObject({
      changed: 1,
    })
    expect(await queue.retryWhere({ status: 'cancelled', tags: ['import'] })).toMatchObject({
      changed: 1,
    })
    const nothing = await refusal(queue.cancelWhere({ tags: [] }))
    expect(nothing).toMatchObject({ code: 'INVALID_OPTION', details: { option: 'tags' } })
  })

  test('are seen and changed by middlewares, and checked again', async ({ openQueue }) => {
    const queue = openQueue<string>({
      middlewares: [
        {
          enqueue: (next) => async (context) => {
            const { args, tags } = context
            if (args === 'spoilt') tags.push(' ')
            else tags.push(`of:${tags.length}`)
            await next(context)
          },
        },
      ],
    })
    const { id } = await queue.enqueue('some', { tags: ['a'] })
    const many = await queue.enqueueMany([{ args: 'x', tags: ['a', 'b'] }, { args: 'y' }])
    expect((await queue.get(id))?.tags).toEqual(['a', 'of:1'])
    expect((await queue.get(many[0]?.id ?? ''))?.tags).toEqual(['a', 'b', 'of:2'])
    expect((await queue.get(many[1]?.id ?? ''))?.tags).toEqual(['of:0'])
    const refused = await refusal(queue.enqueue('spoilt', { tags: ['a'] }))
    expect(refused).toMatchObject({ code: 'INVALID_OPTION', details: { option: 'tags[1]' } })
  })

  test('of a job that waits can be changed, and taken away', async ({ queue }) => {
    const { id } = await queue.enqueue(1, { tags: ['old'], priority: 3 })
    expect(await queue.edit(id, { priority: 2 })).toMatchObject({ tags: ['old'] })
    expect(await queue.edit(id, { tags: ['new', 'a"b'] })).toMatchObject({ tags: ['new', 'a"b'] })
    expect(await queue.edit(id, { tags: [] })).toMatchObject({ tags: [] })
    expect(await queue.get(id)).toMatchObject({ tags: [] })
    const refused = await refusal(queue.edit(id, { tags: ['x', 'x'] }))
    expect(refused).toMatchObject({ code: 'INVALID_OPTION', details: { option: 'tags[1]' } })
  })
})
