import fc from 'fast-check'
import {
  fromMicros,
  microsToDate,
  microsToOptionalDate,
  toMicros,
} from '../../src/store/instants.ts'
import { readClock } from '../../src/store/poll.ts'
import { Store } from '../../src/store/store.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { expect, test } from '../support/fixtures.ts'

/** 2106-02-07 in microseconds: until then they round trip exactly. */
const EXACT_UNTIL = 2n ** 32n * 1_000_000n

test('every microsecond until 2106 comes back from the server as it went', async ({ db }) => {
  const instants = fc.array(fc.bigInt({ min: 0n, max: EXACT_UNTIL }), { minLength: 200 })
  await fc.assert(
    fc.asyncProperty(instants, async (micros) => {
      const sent = micros.map(String)
      const { rows } = await db.query<{ back: string }>(
        `select ${toMicros(fromMicros('micros'))} as back
         from unnest($1::int8[]) with ordinality as given (micros, place) order by place`,
        [sent],
      )
      expect(rows.map(({ back }) => back)).toEqual(sent)
    }),
    { numRuns: 40 },
  )
})

test.for(['UTC', 'Pacific/Kiritimati', 'America/St_Johns'])(
  'an instant does not depend on the time zone of the session (%s)',
  async (zone, { db }) => {
    const client = await db.connect()
    try {
      await client.query(`set timezone to '${zone}'`)
      const { rows } = await client.query(
        `select ${toMicros(`timestamptz '2024-03-31 01:30:00.123457+00'`)} as there,
           ${fromMicros('1711848600123457')} = timestamptz '2024-03-31 01:30:00.123457+00' as back`,
      )
      expect(rows).toEqual([{ there: '1711848600123457', back: true }])
    } finally {
      await client.query('reset timezone')
      client.release()
    }
  },
)

test('a Date has the milliseconds of its instant, cut off', () => {
  expect(microsToDate('1711848600123999').toISOString()).toBe('2024-03-31T01:30:00.123Z')
  expect(microsToOptionalDate('0')?.getTime()).toBe(0)
  expect(microsToOptionalDate(null)).toBeNull()
})

test('the clock that is read is that of the server', async ({ db, schema }) => {
  const store = new Store(driverFor(db), schema)
  const micros = async (): Promise<bigint> => {
    const { rows } = await db.query<{ now: string }>(
      `select (extract(epoch from clock_timestamp()) * 1000000)::int8::text as now`,
    )
    return BigInt(rows[0]?.now ?? '')
  }
  const before = await micros()
  const read = BigInt(await readClock(store))
  expect(read).toBeGreaterThanOrEqual(before)
  expect(read).toBeLessThanOrEqual(await micros())
})
