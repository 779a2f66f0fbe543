import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DBTX, Driver } from '../../src/drivers/driver.ts'
import { driverFor, executorFor } from '../../src/drivers/recognise.ts'
import { failureOf } from './failure.ts'

/** What the suite must know of a client to try it. */
export interface Subject {
  /** What a user would pass as database. */
  database: object
  /** Runs `work` with what this client calls a transaction, begun and ended the client's own way. */
  nativeTransaction(work: (tx: unknown) => Promise<void>): Promise<void>
  /** Whether `tx` of an engine transaction is refused after its end (a DB of the user's own may not care). */
  closesTransactions: boolean
  /** Whether a session can be opened. */
  canReceive: boolean
  /** Ends the client the way its user would; called once, by the last test. */
  end(): Promise<void>
}

/** What every driver must do. Each kind of client runs it. */
export function describeDriver(kind: string, open: () => Promise<Subject>): void {
  describe(`the driver for ${kind}`, () => {
    let subject: Subject
    let driver: Driver
    const schema = `drv_${randomBytes(5).toString('hex')}`
    const item = `${schema}.item`

    beforeAll(async () => {
      subject = await open()
      driver = driverFor(subject.database)
      await driver.query(`
        create schema ${schema};
        create table ${item} (id int4 primary key, name text not null)
      `)
    })
    afterAll(() => subject?.end())

    const names = async (): Promise<string[]> => {
      const { rows } = await driver.query<{ name: string }>(`select name from ${item} order by id`)
      return rows.map((row) => row.name)
    }
    const clear = async (): Promise<void> => void (await driver.query(`delete from ${item}`))
    const context: Context = { item, driver: () => driver, subject: () => subject, names, clear }

    describeParameters(context)
    describeResults(context)
    describeErrors(context)
    describeTransactions(context)
    describeNativeTransactions(context)
    describeSessions(context)

    test('the same object always gets the same driver', () => {
      expect(driverFor(subject.database)).toBe(driver)
      expect(driver.identity).toBe(subject.database)
    })

    test('after the end every statement says so, and nothing was sent', async () => {
      await driver.query(`drop schema ${schema} cascade`)
      await subject.end()
      const error = await failureOf(driver.query('select 1'))
      expect(error.message).toMatch(/ended|closed|calling end/i)
      expect(driver.isConnectionError(error)).toBe(true)
      expect(driver.outcomeIsUnknown(error)).toBe(false)
      await expect(driver.transaction(async () => {})).rejects.toThrow(/ended|closed|calling end/i)
    })
  })
}

interface Context {
  item: string
  driver: () => Driver
  subject: () => Subject
  names: () => Promise<string[]>
  clear: () => Promise<void>
}

const HOSTILE = [
  '',
  ' ',
  'NULL',
  'null',
  '{}',
  '{a,b}',
  '"quoted"',
  "it's",
  'back\\slash',
  '\\N',
  'comma, semicolon; $1',
  'line\nbreak\ttab\r',
  'ünï—🧵',
  "'; drop table item; --",
]

function describeParameters({ driver }: Context): void {
  const cases: [type: string, value: unknown, text: string | null][] = [
    ['int2', 32767, '32767'],
    ['int4', -2147483648, '-2147483648'],
    ['int8', '9007199254740993', '9007199254740993'],
    ['int8', 42, '42'],
    ['float8', 0.25, '0.25'],
    ['numeric', '1e3', '1000'],
    ['bool', true, 'true'],
    ['bool', false, 'false'],
    ['uuid', '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001'],
    ['text', null, null],
    ['int4', null, null],
    ['jsonb', null, null],
    ['interval', '1500 milliseconds', '00:00:01.5'],
  ]
  test.each(cases)('a parameter of type %s takes %j', async (type, value, text) => {
    const sql = `select $1::${type}::text as value`
    expect((await driver().query(sql, [value])).rows).toEqual([{ value: text }])
  })

  test.each(HOSTILE)('text comes back as it was sent: %j', async (value) => {
    const { rows } = await driver().query('select $1::text as value', [value])
    expect(rows).toEqual([{ value }])
  })

  test('an instant goes in and out as microseconds in text', async () => {
    const sql = `select (extract(epoch from to_timestamp(0) + $1::text::int8 * interval '1 microsecond')
      * 1000000)::int8::text as value`
    const { rows } = await driver().query(sql, ['1763928000123456'])
    expect(rows).toEqual([{ value: '1763928000123456' }])
  })

  test('JSON goes in as text and is stored as an object, not as a string', async () => {
    const json = JSON.stringify({ __proto__: 1, 'a"b': [null, 1, 'x\\y', '🧵'], list: [] })
    const sql = `select jsonb_typeof($1::text::jsonb) as type, $1::text::jsonb::text as value`
    const { rows } = await driver().query<{ type: string; value: string }>(sql, [json])
    expect(rows[0]?.type).toBe('object')
    expect(JSON.parse(rows[0]?.value ?? '')).toEqual(JSON.parse(json))
  })

  const arrays: [type: string, value: (string | number | boolean | null)[]][] = [
    ['text', HOSTILE],
    ['text', []],
    ['text', [null, 'a', null]],
    ['int8', ['1', '9223372036854775807', null]],
    ['int4', [1, -2, null]],
    ['int2', [0, 9]],
    ['bool', [true, false, null]],
    ['float8', [0.5, 2]],
  ]
  test.each(arrays)('an array of %s takes %j', async (type, value) => {
    const sql = `
      select element::text as element
      from unnest($1::${type}[]) with ordinality as elements (element, position)
      order by position`
    const { rows } = await driver().query<{ element: string | null }>(sql, [value])
    expect(rows.map((row) => row.element)).toEqual(
      value.map((one) => (one === null ? null : `${one}`)),
    )
  })

  test('several arrays unnest side by side', async () => {
    const sql = `
      select string_agg(id || '=' || coalesce(error, '-'), ' ' order by id) as pairs
      from unnest($1::int8[], $2::text[]) as settled (id, error)`
    const { rows } = await driver().query(sql, [
      ['1', '2', '3'],
      [null, 'boom, "bang"', ''],
    ])
    expect(rows).toEqual([{ pairs: '1=- 2=boom, "bang" 3=' }])
  })

  test('a parameter of a megabyte comes back whole', async () => {
    const value = 'ä\\"'.repeat(350_000)
    const { rows } = await driver().query('select $1::text as value', [value])
    expect(rows).toEqual([{ value }])
  })
}

function describeResults({ driver, item, clear }: Context): void {
  test('text, int4 and bool come out as string, number and boolean, whatever is null', async () => {
    const sql = `select 'a'::text as word, 7::int4 as count, true as yes, false as no, null::int4 as none`
    const { rows, rowCount } = await driver().query(sql)
    expect(rows).toEqual([{ word: 'a', count: 7, yes: true, no: false, none: null }])
    expect(rowCount).toBe(1)
  })

  test('rowCount is the rows returned or changed', async () => {
    await clear()
    const count = async (sql: string, values?: unknown[]): Promise<number | null> =>
      (await driver().query(sql, values)).rowCount
    const insert = `insert into ${item} select n, 'n' from generate_series($1::int4, $2::int4) n`
    expect(await count(insert, [1, 3])).toBe(3)
    expect(await count(`${insert} returning id`, [4, 5])).toBe(2)
    expect(await count(`update ${item} set name = 'm' where id <= $1`, [2])).toBe(2)
    expect(await count(`select id from ${item} where id > $1`, [2])).toBe(3)
    expect(await count(`select id from ${item} where id > $1`, [99])).toBe(0)
    expect(await count(`delete from ${item} where id = 99`)).toBe(0)
    expect(await count(`delete from ${item}`)).toBe(5)
  })

  test('without values a text may hold several statements, and the last one answers', async () => {
    await clear()
    const text = `
      insert into ${item} values (1, 'one; two');
      select name from ${item}`
    expect((await driver().query(text)).rows).toEqual([{ name: 'one; two' }])
  })
}

function describeErrors({ driver, item, clear }: Context): void {
  const insert = `insert into ${item} values ($1::int4, 'a')`
  const cases: [state: string, sql: string, values: unknown[]][] = [
    ['23505', insert, [1]],
    ['42P01', 'select * from nowhere.nothing where 1 = $1::int4', [1]],
    ['22P02', 'select $1::text::int4', ['many']],
    ['22P02', 'select $1::text::jsonb', ['{']],
    ['42601', 'selec 1', []],
  ]
  test.each(cases)(
    'an error keeps its SQLSTATE %s and changes nothing',
    async (code, sql, values) => {
      await clear()
      await driver().query(insert, [1])
      const error = await failureOf(driver().query(sql, values))
      expect(error).toMatchObject({ code })
      expect(driver().isConnectionError(error)).toBe(false)
      expect(driver().outcomeIsUnknown(error)).toBe(false)
      expect((await driver().query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
    },
  )
}

function describeTransactions({ driver, subject, item, names, clear }: Context): void {
  const insert = `insert into ${item} values ($1::int4, $2::text)`

  test('a transaction commits when its work resolves, and gives its result', async () => {
    await clear()
    const result = await driver().transaction(async (tx) => {
      await tx.query(insert, [1, 'one'])
      await tx.query(insert, [2, 'two'])
      return 'done'
    })
    expect(result).toBe('done')
    expect(await names()).toEqual(['one', 'two'])
  })

  test('a transaction rolls back when its work throws, and the error comes through', async () => {
    await clear()
    const thrown = new Error('changed my mind')
    const work = async (tx: DBTX): Promise<void> => {
      await tx.query(insert, [1, 'one'])
      throw thrown
    }
    await expect(driver().transaction(work)).rejects.toBe(thrown)
    expect(await names()).toEqual([])
  })

  test('a failed statement rolls its transaction back', async () => {
    await clear()
    const work = async (tx: DBTX): Promise<void> => {
      await tx.query(insert, [1, 'one'])
      await tx.query(insert, [1, 'again'])
    }
    await expect(driver().transaction(work)).rejects.toMatchObject({ code: '23505' })
    expect(await names()).toEqual([])
  })

  test('a work that hides the error of a statement does not make a rolled back transaction resolve', async () => {
    await clear()
    const work = async (tx: DBTX): Promise<string> => {
      await tx.query(insert, [1, 'one'])
      await tx.query(insert, [1, 'again']).catch(() => {})
      return 'all is well'
    }
    await expect(driver().transaction(work)).rejects.toMatchObject({
      code: expect.stringMatching(/^(23505|25P02)$/) as string,
    })
    expect(await names()).toEqual([])
  })

  test('statements of a transaction may be sent at once', async () => {
    await clear()
    await driver().transaction(async (tx) => {
      await Promise.all([1, 2, 3].map((id) => tx.query(insert, [id, `n${id}`])))
    })
    expect(await names()).toEqual(['n1', 'n2', 'n3'])
  })

  test('a transaction is of no use after its end', async () => {
    if (!subject().closesTransactions) return
    let kept: DBTX | undefined
    await driver().transaction(async (tx) => void (kept = tx))
    await expect(kept?.query('select 1')).rejects.toThrow('Transaction is closed')
  })
}

function describeNativeTransactions({ driver, subject, item, names, clear }: Context): void {
  const insert = `insert into ${item} values ($1::int4, $2::text)`

  test("the client's own transaction runs our statements, and commits them", async () => {
    await clear()
    await subject().nativeTransaction(async (tx) => {
      const executor = executorFor(tx)
      const { rows, rowCount } = await executor.query(`${insert} returning id, true as yes`, [
        1,
        'one',
      ])
      expect({ rows, rowCount }).toEqual({ rows: [{ id: 1, yes: true }], rowCount: 1 })
      expect(
        (await executor.query('select $1::text[]::text as list', [['a', null, '"']])).rows,
      ).toEqual([{ list: '{a,NULL,"\\""}' }])
    })
    expect(await names()).toEqual(['one'])
  })

  test("our statements go away with the client's own transaction", async () => {
    await clear()
    const work = async (tx: unknown): Promise<void> => {
      await executorFor(tx).query(insert, [1, 'one'])
      throw new Error('no')
    }
    await expect(subject().nativeTransaction(work)).rejects.toThrow('no')
    expect(await names()).toEqual([])
  })

  test('the database itself is refused as a transaction where the two can be told apart', () => {
    if (driver().name === 'pg.Client') return
    expect(() => executorFor(subject().database)).toThrow(
      expect.objectContaining({ code: 'INVALID_DATABASE' }),
    )
  })
}

function describeSessions({ driver, subject }: Context): void {
  test('a client that cannot receive says why, with the remedy', async () => {
    if (subject().canReceive) return
    expect(driver().cannotReceive).toContain('pg.Pool')
    await expect(driver().openSession()).rejects.toMatchObject({ code: 'INVALID_DATABASE' })
  })

  test('a session runs statements until it is closed', async () => {
    if (!subject().canReceive) return
    expect(driver().cannotReceive).toBeUndefined()
    const session = await driver().openSession()
    const { rows } = await session.query('select $1::int4 as n', [5])
    expect(rows).toEqual([{ n: 5 }])
    expect(session.lost.aborted).toBe(false)
    await session.close()
    expect(session.lost.aborted).toBe(true)
    await session.close()
  })

  test.each(['plain', 'Mixed Case', 'a"b""c', "it's;", 'ü'.repeat(20)])(
    'a session hears what is said on the channel %j, and nothing after it was closed',
    async (channel) => {
      if (!subject().canReceive) return
      const session = await driver().openSession()
      const heard = listener()
      await session.listen?.(channel, heard.hear)
      await driver().query('select pg_notify($1::text, $2::text)', ['another', 'no'])
      await driver().query('select pg_notify($1::text, $2::text)', [channel, 'first'])
      await driver().query('select pg_notify($1::text, $2::text)', [channel, ''])
      expect([await heard.next(), await heard.next()]).toEqual(['first', ''])
      await session.close()
      const later = await driver().openSession()
      const after = listener()
      await later.listen?.(channel, after.hear)
      await driver().query('select pg_notify($1::text, $2::text)', [channel, 'second'])
      expect(await after.next()).toBe('second')
      await later.close()
      expect(heard.count()).toBe(2)
    },
  )
}

/** Collects payloads; `next` waits for the one after those already taken. */
export function listener(): {
  hear: (payload: string) => void
  next: () => Promise<string>
  count: () => number
} {
  const payloads: string[] = []
  const waiting: ((payload: string) => void)[] = []
  let count = 0
  const hear = (payload: string): void => {
    count += 1
    const first = waiting.shift()
    if (first === undefined) payloads.push(payload)
    else first(payload)
  }
  const next = async (): Promise<string> => {
    const ready = payloads.shift()
    return ready ?? new Promise((resolve) => waiting.push(resolve))
  }
  return { hear, next, count: () => count }
}
