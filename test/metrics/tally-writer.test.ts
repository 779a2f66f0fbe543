import { Client } from 'pg'
import { EventBus } from '../../src/core/event-bus.ts'
import { Tallies } from '../../src/core/tally.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { TallyWriter } from '../../src/metrics/tally-writer.ts'
import { Store } from '../../src/store/store.ts'
import { expect, test, testOnPGlite, until } from '../support/fixtures.ts'
import { sumOf } from './arrange.ts'

/** A writer that is told when to write. */
function newWriter(
  store: Store,
  events = new EventBus(),
): { tallies: Tallies; writer: TallyWriter } {
  const tallies = new Tallies(() => {})
  return { tallies, writer: new TallyWriter(store, events, tallies) }
}

const now = (): number => Date.now() * 1_000

testOnPGlite(
  'what is counted inside a transaction is written outside of it',
  async ({ db, schema, queue, rows }) => {
    await queue.enqueue('makes the queue')
    const { tallies, writer } = newWriter(new Store(driverFor(db), schema))
    await expect(
      db.transaction(() => {
        tallies.of('default').enqueued(now(), 3)
        writer.writeSoon(1)
        return Promise.reject(new Error('rolled back'))
      }),
    ).rejects.toThrow('rolled back')
    await until(async () => (await sumOf(rows, 'tallies')).enqueued === 3)
  },
)

test('an answer that is lost costs nothing, and the same is written again', async ({
  db,
  schema,
  queue,
  rows,
}) => {
  await queue.enqueue('makes the queue')
  const driver = driverFor(db)
  let isLost = true
  const query: typeof driver.query = async (...asked) => {
    const answer = await driver.query<never>(...asked)
    if (isLost) throw new Error('the answer is lost')
    return answer
  }
  const lossy = new Proxy(driver, {
    get: (target, name): unknown => (name === 'query' ? query : Reflect.get(target, name, target)),
  })
  const events = new EventBus()
  const failures: unknown[] = []
  events.on((event) => void failures.push(event), ['maintenance.failed'])
  const { tallies, writer } = newWriter(new Store(lossy, schema), events)
  tallies.of('default').ended(now(), 'finished', 1)
  await writer.write()
  expect(failures).toMatchObject([{ chore: 'write statistics' }])
  expect(await sumOf(rows, 'tallies')).toMatchObject({ finished: 1 })
  isLost = false
  tallies.of('default').ended(now(), 'finished', 1)
  await writer.write()
  expect(await sumOf(rows, 'tallies')).toMatchObject({ finished: 2, runs: 2 })
})

test('over a single client nothing is written by itself', async ({ databaseUrl, schema, rows }) => {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { tallies, writer } = newWriter(new Store(driverFor(client), schema))
    tallies.of('default').enqueued(now(), 1)
    writer.writeSoon(1)
    await new Promise((resolve) => void setTimeout(resolve, 50))
    expect(await sumOf(rows, 'tallies')).toMatchObject({ enqueued: 0 })
  } finally {
    await client.end()
  }
})
