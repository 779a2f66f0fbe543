import { EventBus } from '../../src/core/event-bus.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { claimJobs } from '../../src/store/claim.ts'
import { Store } from '../../src/store/store.ts'
import { Floors } from '../../src/worker/floors.ts'
import { Registration } from '../../src/worker/registration.ts'
import { Sweep } from '../../src/worker/sweep.ts'
import { expect, test } from '../support/fixtures.ts'

test('a sweep gives back what its worker holds and nobody knows, when it finds it twice', async ({
  db,
  schema,
  queue,
  rows,
}) => {
  const [lost, known] = await queue.enqueueMany([{ args: 1 }, { args: 2 }])
  const store = new Store(driverFor(db), schema)
  const [row] = await rows(`
    insert into {schema}.workers (token, host, pid, version, lease_ms)
    values ('', '', 1, '', 30000) returning id`)
  const [{ queueId } = {}] = await rows('select queue_id as "queueId" from {schema}.jobs')
  const workerId = Number(row?.['id'])
  const registration = new Registration(workerId, '', 30_000, performance.now())
  for (const claimNo of [1, 2]) {
    const claim = { queueId: Number(queueId), workerId, claimNo, limit: 1, startsAtOnce: true }
    await claimJobs(store, claim, new Floors().lowered(0), null)
  }
  const events = new EventBus()
  const recovered: number[] = []
  events.on((event) => {
    if (event.type === 'claim.recovered') recovered.push(event.count)
  })
  const rules = { queueId: Number(queueId), queueName: 'default', keepFailedMs: 60_000 }
  const hands = { rules, openClaims: new Set(['2']) }
  const sweep = new Sweep(store, events, { current: registration }, () => [hands])
  const { signal } = new AbortController()
  const held = () =>
    rows('select id::text from {schema}.jobs where claimed_by > 0 order by jobs.id')

  await sweep.sweep(signal) // once may be an answer that is still on its way
  expect(await held()).toEqual([{ id: lost?.id }, { id: known?.id }])
  await sweep.sweep(signal)
  expect(await held()).toEqual([{ id: known?.id }])
  expect(recovered).toEqual([1])
  await sweep.sweep(signal)
  expect(recovered).toEqual([1])
})
