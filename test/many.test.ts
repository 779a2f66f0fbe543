import { expect, test } from 'vitest'
import { throughTogether } from '../src/many.ts'
import { gate } from './queue/arrange.ts'

type Inside = (ready: string) => Promise<void>

/** A store that remembers what it was given. */
function memory() {
  const stored: string[][] = []
  const store = async (ready: readonly string[]): Promise<string[]> => {
    stored.push([...ready])
    return ready.map((item) => `${item}!`)
  }
  return { stored, store }
}

test('all items are stored in one go, in the order given, whichever is ready first', async () => {
  const { stored, store } = memory()
  const late = gate()
  const enter = async (item: string, inside: Inside): Promise<void> => {
    if (item === 'a') await late.opened
    if (item === 'c') late.open()
    await inside(item)
  }
  expect(await throughTogether(['a', 'b', 'c'], enter, store)).toEqual(['a!', 'b!', 'c!'])
  expect(stored).toEqual([['a', 'b', 'c']])
})

test('what comes after the inside of a chain comes after the store', async () => {
  const order: string[] = []
  const enter = async (item: string, inside: Inside): Promise<void> => {
    await inside(item)
    order.push(`after ${item}`)
  }
  await throughTogether(['a', 'b'], enter, async () => {
    order.push('stored')
    return []
  })
  expect(order).toEqual(['stored', 'after a', 'after b'])
})

test('a chain that fails before its inside fails all, and nothing is stored', async () => {
  const { stored, store } = memory()
  const outcomes: unknown[] = []
  const enter = async (item: string, inside: Inside): Promise<void> => {
    if (item === 'b') throw new Error('not this one')
    await inside(item).catch((error: unknown) => outcomes.push(error))
  }
  await expect(throughTogether(['a', 'b', 'c'], enter, store)).rejects.toThrow('not this one')
  expect(stored).toEqual([])
  expect(outcomes).toHaveLength(2)
})

test('a chain that fails while its item waits inside keeps all from being stored', async () => {
  const { stored, store } = memory()
  const failed = gate()
  const enter = async (item: string, inside: Inside): Promise<void> => {
    if (item === 'b') {
      await failed.opened
      return inside(item)
    }
    void inside(item).catch(() => {}) // a middleware that does not wait for its next
    setImmediate(() => failed.open())
    throw new Error('too hasty')
  }
  await expect(throughTogether(['a', 'b'], enter, store)).rejects.toThrow('too hasty')
  await failed.opened
  await new Promise(setImmediate)
  expect(stored).toEqual([])
})

test('a store that fails fails every chain', async () => {
  const errors: unknown[] = []
  const enter = async (item: string, inside: Inside): Promise<void> => {
    try {
      await inside(item)
    } catch (error) {
      errors.push(error)
      throw error
    }
  }
  const refused = new Error('refused')
  await expect(throughTogether(['a', 'b'], enter, () => Promise.reject(refused))).rejects.toBe(
    refused,
  )
  expect(errors).toEqual([refused, refused])
})

test('of no items nothing is stored', async () => {
  const { stored, store } = memory()
  expect(await throughTogether([], async () => {}, store)).toEqual([])
  expect(stored).toEqual([])
})
