import { expect, test } from 'vitest'
import { Exclusivity } from '../../src/worker/exclusivity.ts'
import { gate } from '../queue/arrange.ts'

const LONG_MS = 60_000
const never = new AbortController().signal
const nothing = async (): Promise<void> => {}

test('who wants to be alone runs at once where nothing runs, behind closed doors', async () => {
  const exclusivity = new Exclusivity()
  let wasOpen = true
  const work = async (): Promise<void> => void (wasOpen = exclusivity.isOpen)
  expect(await exclusivity.alone(work, LONG_MS, never)).toBe(true)
  expect(wasOpen).toBe(false)
  expect(exclusivity.isOpen).toBe(true)
})

test('who wants to be alone waits until the last handler has ended', async () => {
  const exclusivity = new Exclusivity()
  exclusivity.enter()
  exclusivity.enter()
  const seen: number[] = []
  const work = async (): Promise<void> => void seen.push(exclusivity.running)
  const alone = exclusivity.alone(work, LONG_MS, never)
  expect(exclusivity.isOpen).toBe(false)
  exclusivity.leave()
  await Promise.resolve()
  expect(seen).toEqual([])
  exclusivity.leave()
  expect(await alone).toBe(true)
  expect(seen).toEqual([0])
})

test('an end of all handlers long ago is no proof that nothing runs now', async () => {
  const exclusivity = new Exclusivity()
  exclusivity.enter()
  exclusivity.leave()
  exclusivity.enter()
  let hasRun = false
  const alone = exclusivity.alone(async () => void (hasRun = true), LONG_MS, never)
  await new Promise(setImmediate)
  expect(hasRun).toBe(false)
  exclusivity.leave()
  expect(await alone).toBe(true)
})

test('the wait for handlers that do not end is bounded, and the doors open again', async () => {
  const exclusivity = new Exclusivity()
  exclusivity.enter()
  expect(await exclusivity.alone(nothing, 5, never)).toBe(false)
  expect(exclusivity.isOpen).toBe(true)
  expect(exclusivity.running).toBe(1)
})

test('a stop ends the wait', async () => {
  const exclusivity = new Exclusivity()
  const stop = new AbortController()
  exclusivity.enter()
  const alone = exclusivity.alone(nothing, LONG_MS, stop.signal)
  stop.abort()
  expect(await alone).toBe(false)
  expect(await exclusivity.alone(nothing, LONG_MS, stop.signal)).toBe(false)
  expect(exclusivity.isOpen).toBe(true)
})

test('two cannot be alone', async () => {
  const exclusivity = new Exclusivity()
  const end = gate()
  const first = exclusivity.alone(() => end.opened, LONG_MS, never)
  expect(await exclusivity.alone(nothing, LONG_MS, never)).toBe(false)
  expect(exclusivity.isOpen).toBe(false)
  end.open()
  expect(await first).toBe(true)
})

test('work that throws opens the doors again', async () => {
  const exclusivity = new Exclusivity()
  const work = (): Promise<void> => Promise.reject(new Error('no'))
  await expect(exclusivity.alone(work, LONG_MS, never)).rejects.toThrow('no')
  expect(exclusivity.isOpen).toBe(true)
})

test('listeners hear of every closing and opening until they go', async () => {
  const exclusivity = new Exclusivity()
  const heard: boolean[] = []
  const forget = exclusivity.onChange(() => heard.push(exclusivity.isOpen))
  await exclusivity.alone(nothing, LONG_MS, never)
  forget()
  await exclusivity.alone(nothing, LONG_MS, never)
  expect(heard).toEqual([false, true])
})
