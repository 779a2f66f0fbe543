import { retain } from '../../src/maintenance/retention.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { EventBus } from '../../src/core/event-bus.ts'
import { Store } from '../../src/store/store.ts'
import { describeEachDatabase, expect, type Fixtures } from '../support/fixtures.ts'

const DUE = `update {schema}.job_progress set review_at = now() - interval '1 second'`

async function notedIds(rows: Fixtures['rows'], table: string): Promise<unknown[]> {
  const found = await rows(`select distinct job_id::text as id from {schema}.${table} order by 1`)
  return found.map(({ id }) => id)
}

describeEachDatabase('what runs have said', (test) => {
  test('is forgotten with its job, and looked at again as long as that is there', async ({
    openQueue,
    db,
    schema,
    rows,
  }) => {
    const queue = openQueue<string, void>((job, { progress, log }) => {
      progress(1)
      log('here')
      if (job.args === 'fail') throw new Error('on purpose')
    })
    const [kept, waiting, gone] = await queue.enqueueMany(
      ['keep', 'fail', 'go'].map((args) => ({ args })),
    )
    await queue.drain()
    const ids = [kept, waiting, gone].map((job) => job?.id ?? '')
    await rows('delete from {schema}.history where id = $1', [ids[2]])
    const store = new Store(driverFor(db), schema)
    await retain(store, new EventBus())
    expect(await notedIds(rows, 'job_progress')).toEqual(ids) // none is due yet

    await rows(DUE)
    await retain(store, new EventBus())
    expect(await notedIds(rows, 'job_progress')).toEqual(ids.slice(0, 2))
    expect(await notedIds(rows, 'job_logs')).toEqual(ids.slice(0, 2))
    const [past, live] = await rows(`
      select
        review_at > now() as "isLater",
        review_at = (
          select (date_trunc('day', expires_at at time zone 'UTC') + interval '1 day') at time zone 'UTC'
          from {schema}.history
          where history.id = job_progress.job_id
        ) as "isWhenItsDayIsOver"
      from {schema}.job_progress
      order by job_id`)
    expect(past).toEqual({ isLater: true, isWhenItsDayIsOver: true })
    expect(live).toEqual({ isLater: true, isWhenItsDayIsOver: null })
    expect(await queue.get(ids[0] ?? '')).toMatchObject({ progress: 1 })
  })

  test('is looked at in slices until nothing is due', async ({ openQueue, db, schema, rows }) => {
    const queue = openQueue()
    await queue.enqueue({})
    await rows(`
      insert into {schema}.job_progress (job_id, queue_id, review_at)
      select number, (select id from {schema}.queues), now() - interval '1 minute'
      from generate_series(100000, 101200) as number`)
    await retain(new Store(driverFor(db), schema), new EventBus())
    expect(await notedIds(rows, 'job_progress')).toEqual([])
  })
})
