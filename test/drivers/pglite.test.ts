import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DBTX, Driver } from '../../src/drivers/driver.ts'
import { driverFor, executorFor } from '../../src/drivers/recognise.ts'
import { listener } from './conformance.ts'
import { failureOf } from './failure.ts'

let pglite: PGlite
let other: PGlite
let driver: Driver
beforeAll(async () => {
  pglite = await PGlite.create()
  other = await PGlite.create()
  driver = driverFor(pglite)
})
afterAll(() => pglite.close())

const refusal = { code: 'INVALID_OPTION', details: { option: 'tx' } }

describe('a statement inside a PGlite transaction, but not of it', () => {
  test("is refused inside the user's own transaction, where it would wait for itself", async () => {
    const errors = await pglite.transaction(async () => [
      await failureOf(driver.query('select 1')),
      await failureOf(driver.transaction(async () => {})),
    ])
    for (const error of errors) {
      expect(error).toMatchObject(refusal)
      expect(error.message).toContain('{ tx }')
    }
  })

  test('can be refused where the call comes in, as somebody else may send the statement', async () => {
    expect(() => driver.refuseInsideTransaction()).not.toThrow()
    await pglite.transaction(async () => {
      expect(() => driver.refuseInsideTransaction()).toThrow(
        expect.objectContaining(refusal) as Error,
      )
    })
  })

  test('is refused inside a transaction of the driver too', async () => {
    const error = await driver.transaction(() => failureOf(driver.query('select 1')))
    expect(error).toMatchObject(refusal)
  })

  test('is refused however deep in the callback it is sent', async () => {
    const deep = async (depth: number): Promise<Error> => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      return depth === 0 ? failureOf(driver.query('select 1')) : deep(depth - 1)
    }
    expect(await pglite.transaction(() => deep(3))).toMatchObject(refusal)
  })

  test('runs as soon as the transaction is over, even when it was set off inside', async () => {
    let later: Promise<unknown> | undefined
    let end = (): void => {}
    const ended = new Promise<void>((resolve) => (end = resolve))
    await pglite.transaction(async () => {
      later = ended.then(() => driver.query('select 1::int4 as one'))
    })
    end()
    expect(await later).toMatchObject({ rows: [{ one: 1 }] })
  })

  test('waits, as it must, when somebody else is in the transaction', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const transaction = pglite.transaction(() => held)
    const outside = driver.query('select 1::int4 as one')
    release()
    await transaction
    expect((await outside).rows).toEqual([{ one: 1 }])
  })

  test('may go to another PGlite, but not back to the first', async () => {
    const otherDriver = driverFor(other)
    await pglite.transaction(async () => {
      expect((await otherDriver.query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
      const error = await otherDriver.transaction(() => failureOf(driver.query('select 1')))
      expect(error).toMatchObject(refusal)
    })
  })
})

describe("the user's PGlite", () => {
  test('keeps its transaction as it was: result, error, rollback', async () => {
    expect(
      await pglite.transaction(async (tx) => (await tx.query('select 1 as one')).rows),
    ).toEqual([{ one: 1 }])
    const thrown = new Error('no')
    await expect(pglite.transaction(() => Promise.reject(thrown))).rejects.toBe(thrown)
    const rolledBack = await pglite.transaction((tx) => tx.rollback())
    expect(rolledBack).toBeUndefined()
  })

  test('gets a transaction refused that has ended', async () => {
    const kept: unknown[] = []
    await pglite.transaction(async (tx) => {
      kept.push(tx)
      expect((await executorFor(tx).query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
    })
    expect(() => executorFor(kept[0])).toThrow(
      expect.objectContaining({ code: 'INVALID_DATABASE' }) as Error,
    )
  })

  test('is not taken for exclusive, as another process may have its directory open', () => {
    expect(driver).toMatchObject({ name: 'PGlite', isSingleSession: true, isExclusive: false })
  })
})

describe('sessions on a PGlite', () => {
  test('share its one LISTEN for a channel, and only the last one ends it', async () => {
    const [first, second] = [await driver.openSession(), await driver.openSession()]
    const heard = [listener(), listener()] as const
    await first.listen?.('shared', heard[0].hear)
    await second.listen?.('shared', heard[1].hear)
    await driver.query(`select pg_notify('shared', 'both')`)
    expect([await heard[0].next(), await heard[1].next()]).toEqual(['both', 'both'])
    await first.close()
    await driver.query(`select pg_notify('shared', 'one')`)
    expect(await heard[1].next()).toBe('one')
    expect(heard[0].count()).toBe(1)
    await second.close()
    expect((await driver.query('select pg_listening_channels() as channel')).rows).toEqual([])
  })

  test('are not refused inside a transaction: the engine waits until it is over', async () => {
    const session = await driver.openSession()
    let answer: Promise<unknown> | undefined
    await pglite.transaction(async () => {
      answer = session.query('select 1::int4 as one')
    })
    expect(await answer).toMatchObject({ rows: [{ one: 1 }] })
    await session.close()
  })

  test('are lost when the PGlite is closed, and no new one can be opened', async () => {
    const otherDriver = driverFor(other)
    const session = await otherDriver.openSession()
    await other.close()
    const error = await failureOf(session.query('select 1'))
    expect(session.lost.reason).toBe(error)
    expect(await failureOf(otherDriver.openSession())).toMatchObject({
      message: 'PGlite is closed',
    })
    await session.close()
  })

  test('give a notification of a transaction only when it commits', async () => {
    const session = await driver.openSession()
    const heard = listener()
    await session.listen?.('committed', heard.hear)
    const notify = (payload: string) => (tx: DBTX) =>
      tx.query('select pg_notify($1::text, $2::text)', ['committed', payload])
    await expect(
      driver.transaction(async (tx) => {
        await notify('rolled back')(tx)
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    await driver.transaction(notify('committed'))
    expect(await heard.next()).toBe('committed')
    await session.close()
  })
})
