import { expect, test } from 'vitest'
import { RunNotes } from '../../src/worker/run-notes.ts'
import { claimedJob } from './claimed.ts'

const line = (message: string) => ({ kind: 'line', message, fields: undefined }) as const

function notesOfRun(): RunNotes {
  const inHand = { job: claimedJob({ id: '7' }), claimNo: '3', registration: undefined, queueId: 1 }
  return new RunNotes(inHand as never, 'default')
}

test('however much a run says, what waits to be stored is bounded', () => {
  const notes = notesOfRun()
  for (let said = 1; said <= 20_000; said++) notes.add(line(`${said}`.padEnd(2_000)), said)
  const { lines, lineCount } = notes.read(20_000, false)
  expect(lineCount).toBe(20_000)
  expect(lines).toHaveLength(32) // 65,536 characters
  expect(lines.at(-1)).toMatchObject({ place: 20_000, agoMs: 0 })
  for (let said = 1; said <= 100_000; said++) notes.add(line('short'), said)
  expect(notes.read(0, false).lines).toHaveLength(200)
})

test('what is said while a statement is under way waits for the next one', () => {
  const notes = notesOfRun()
  notes.add(line('first'), 0)
  notes.add({ kind: 'progress', json: '1' }, 0)
  const sent = notes.read(10, false)
  notes.add(line('second'), 20)
  notes.add({ kind: 'progress', json: '2' }, 20)
  notes.stored(sent, 10)
  expect(notes.isPending).toBe(true)
  expect(notes.read(30, false)).toMatchObject({
    progress: undefined, // too soon
    lineCount: 1,
    lines: [{ place: 1, agoMs: 10, message: 'second' }],
  })
  expect(notes.read(30, true).progress).toBe('2')
  expect(notes.read(5_000, false).progress).toBe('2')
})

test('what a transaction of the handler stores is left to it until the end', () => {
  const notes = notesOfRun()
  notes.add(line('first'), 0)
  notes.hold()
  expect(notes.isDue(10_000, false)).toBe(false)
  expect(notes.isDue(10_000, true)).toBe(true)
  notes.clear()
  expect(notes.isPending).toBe(false)
})
