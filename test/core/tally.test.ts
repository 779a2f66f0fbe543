import { expect, test } from 'vitest'
import { Tallies, type TallyRow } from '../../src/core/tally.ts'

const MINUTE = 60_000_000
const AT = 29_000_000 * MINUTE // the start of a minute

function newTallies(): { tallies: Tallies; changes: () => number } {
  let changes = 0
  const tallies = new Tallies(() => (changes += 1))
  return { tallies, changes: () => changes }
}

/** What a database would add up that keeps the last version of each row. */
function total(...taken: TallyRow[][]): number {
  const rows = new Map<string, number>()
  for (const { at, part, counts } of taken.flat()) rows.set(`${at} ${part}`, counts.finished)
  return [...rows.values()].reduce((sum, count) => sum + count, 0)
}

test('a row says all that was counted in its minute', () => {
  const { tallies } = newTallies()
  const emails = tallies.of('emails')
  emails.enqueued(AT, 3)
  emails.started(AT + 1_000, AT - 999_000)
  emails.ended(AT + 2_500, 'finished', 1.5)
  emails.ended(AT + 2_500, 'snoozed', 7)
  const [row, ...others] = tallies.take()
  expect(others).toEqual([])
  expect(row).toMatchObject({
    ...{ queueName: 'emails', at: AT, part: 1, writer: tallies.writer },
    ...{ waitUs: 1_000_000, runUs: 1_500, runs: { 37: 1 } },
    counts: { enqueued: 3, started: 1, finished: 1, snoozed: 1, retried: 0 },
  })
  expect(Object.values(row?.waits ?? {})).toEqual([1])
})

test('what has not changed is not taken again, and what has is taken as a whole', () => {
  const { tallies } = newTallies()
  tallies.of('a').ended(AT, 'finished', 1)
  tallies.of('b').ended(AT, 'finished', 1)
  expect(tallies.take()).toHaveLength(2)
  tallies.written()
  expect(tallies.take()).toEqual([])
  tallies.of('a').ended(AT + 1, 'finished', 1)
  expect(tallies.take()).toMatchObject([{ queueName: 'a', counts: { finished: 2 } }])
})

test('what may not have been written is taken again', () => {
  const { tallies } = newTallies()
  tallies.of('a').ended(AT, 'finished', 1)
  const first = tallies.take()
  tallies.putBack(first)
  expect(tallies.take()).toEqual(first)
})

test('a minute that is over is forgotten when it is written, and one that comes back is another part', () => {
  const { tallies } = newTallies()
  const tally = tallies.of('a')
  tally.ended(AT, 'finished', 1)
  tally.ended(AT + MINUTE, 'finished', 1)
  tally.ended(AT, 'finished', 1) // a little late: it is still there
  const first = tallies.take()
  expect(first.map(({ part, counts }) => [part, counts.finished])).toEqual([
    [1, 2],
    [2, 1],
  ])
  tally.ended(AT + MINUTE, 'finished', 1)
  tallies.written()
  tally.ended(AT, 'finished', 1) // much later: the row that was written is left alone
  const second = tallies.take()
  expect(second.map(({ part }) => part)).toEqual([2, 3])
  expect(total(first, second)).toBe(5)
})

test('somebody is told once of what is new, until it is taken', () => {
  const { tallies, changes } = newTallies()
  tallies.of('a').enqueued(AT, 1)
  tallies.of('b').enqueued(AT, 1)
  expect(changes()).toBe(1)
  const rows = tallies.take()
  tallies.of('a').enqueued(AT, 1)
  expect(changes()).toBe(2)
  tallies.putBack(rows)
  expect(changes()).toBe(2)
})

test('a database that is away for long does not fill the memory', () => {
  const { tallies } = newTallies()
  for (let minute = 0; minute < 1_000; minute++) tallies.of('a').enqueued(AT + minute * MINUTE, 1)
  expect(tallies.take()).toHaveLength(5)
})
