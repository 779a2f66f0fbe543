import { describe } from 'vitest'
import { driverFor } from '../../src/drivers/recognise.ts'
import type { JobCondition } from '../../src/store/filter.ts'
import { matchJobs, type MatchedJob } from '../../src/store/matching.ts'
import { Store } from '../../src/store/store.ts'
import { describeEachDatabase, expect, test, type Fixtures } from '../support/fixtures.ts'

const ANY: JobCondition = {
  ...{ status: null, olderThanMs: null, newerThanMs: null, errorText: null, metadataJson: null },
  tags: null,
}

/** 12,000 jobs, waiting or finished, every thousandth of which is marked. */
async function filled({ queue, rows }: Pick<Fixtures, 'queue' | 'rows'>): Promise<number> {
  await queue.enqueue('opens the queue')
  const columns =
    'run_at, created_at, queue_id, priority, max_retries, retry_policy, args, metadata'
  const values = `now(), now(), queues.id, 5, 3, 'constant', to_jsonb(n),
    case when n % 1000 = 0 then '{"mark": [1, 2]}' else '{}' end::jsonb`
  await rows(
    `insert into {schema}.jobs (${columns}) select ${values} from {schema}.queues, generate_series(1, 12000) as n`,
  )
  await rows('select {schema}.add_history_partition(current_date + 1)')
  await rows(
    `insert into {schema}.history (id, ${columns}, outcome, attempt, error_count, finished_at, expires_at)
     select n + 1000000, ${values}, 'finished', 1, 0, now(), current_date + interval '36 hours'
     from {schema}.queues, generate_series(1, 12000) as n`,
  )
  const [queueRow] = await rows('select id from {schema}.queues')
  return Number(queueRow?.['id'])
}

async function slices(
  work: AsyncGenerator<readonly MatchedJob[]>,
): Promise<(readonly MatchedJob[])[]> {
  const all = []
  for await (const slice of work) all.push(slice)
  return all
}

describeEachDatabase('going through the jobs of a queue', (test) => {
  test('takes slices of bounded length, however few of them match', async ({
    queue,
    rows,
    db,
    schema,
  }) => {
    const queueId = await filled({ queue, rows })
    const store = new Store(driverFor(db), schema)
    const marked = { ...ANY, metadataJson: '{"mark":[2]}', queueId, onlyDeadLetters: false }
    for (const place of ['live', 'past'] as const) {
      const found = await slices(matchJobs(store, { ...marked, place }))
      expect(found.map((slice) => slice.length)).toEqual(place === 'live' ? [4, 5, 3] : [5, 5, 2])
      const ids = found.flat().map(({ id }) => id)
      expect(ids).toEqual(ids.toSorted((left, right) => Number(left) - Number(right)))
      expect(found.flat()[0]?.size).toBeGreaterThan(1)
      const none = { ...marked, place, metadataJson: '{"mark":[3]}' }
      expect(await slices(matchJobs(store, none))).toEqual([[], [], []])
    }
    const letters = { ...ANY, place: 'live', queueId, onlyDeadLetters: true } as const
    expect((await slices(matchJobs(store, letters))).flat()).toEqual([])
    const nobody = { ...ANY, place: 'live', queueId: queueId + 7, onlyDeadLetters: false } as const
    expect(await slices(matchJobs(store, nobody))).toEqual([[]])
  })
})

describe('a slice', () => {
  test('reads no more than its jobs, whatever the condition is', async ({ queue, rows, db, schema }) => {
    const queueId = await filled({ queue, rows })
    await rows('analyze {schema}.jobs')
    const { MATCH_LIVE_JOBS } = await import('../../src/store/matching.ts')
    const text = new Store(driverFor(db), schema).text(MATCH_LIVE_JOBS)
    const values = [queueId, '0', 50, null, null, null, 'no such error', '{"no":1}', null, false]
    const explained = await db.query<{ 'QUERY PLAN': string }>(
      `explain (analyze, buffers, costs off, timing off) ${text}`,
      values,
    )
    const plan = explained.rows.map((row) => row['QUERY PLAN']).join('\n')
    const buffers = Number(/Buffers: shared hit=(\d+)/.exec(plan)?.[1])
    expect(buffers, plan).toBeGreaterThan(0)
    expect(buffers, plan).toBeLessThan(60)
  })
}) // prettier-ignore
