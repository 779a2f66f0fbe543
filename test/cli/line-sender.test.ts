import { describe, expect, test } from 'vitest'
import type { JobLine } from '../../src/cli/enqueue/job-lines.ts'
import { LineSender } from '../../src/cli/enqueue/line-sender.ts'
import type { EnqueueItem } from '../../src/core/enqueue-options.ts'
import { MillraceError } from '../../src/core/errors.ts'

const line = (number: number, args: unknown = number, bytes = 10): JobLine => ({
  number,
  text: JSON.stringify(args),
  bytes,
  item: { args },
})

/** A sender whose database does as the test says. */
function arrange(send: (items: readonly EnqueueItem[]) => Promise<unknown>, canTryAgain = true) {
  const stored: unknown[] = []
  const refused: string[] = []
  const sender = new LineSender(
    {
      send: async (items) => {
        await send(items)
        stored.push(...items.map((item) => item.args))
      },
      whyNot: (item) => (item.args === 'unfit' ? 'It is unfit.' : undefined),
      canTryAgain,
      refused: ({ number, reason }) => void refused.push(`${number}: ${reason}`),
      sent: () => {},
      failed: () => {},
    },
    1,
  )
  return { sender, stored, refused }
}

/** Refuses a batch with a value of that kind in it, as a server does. */
async function refuse(items: readonly EnqueueItem[], value: string, error: Error) {
  if (items.some((item) => item.args === value)) throw error
}
const dataError = Object.assign(new Error('out of range'), { code: '22003' })

describe('a batch', () => {
  test('goes in without the jobs that cannot be stored', async () => {
    const unfit = new MillraceError('INVALID_ARGS')
    const { sender, stored, refused } = arrange((items) => refuse(items, 'unfit', unfit))
    for (const [index, args] of [1, 'unfit', 3, 'unfit', 5].entries()) {
      await sender.add(line(index + 1, args))
    }
    await sender.add({ number: 6, text: '{', reason: 'It is not JSON.' })
    await sender.finish()
    expect(stored).toEqual([1, 3, 5])
    expect(refused).toEqual(['2: It is unfit.', '4: It is unfit.', '6: It is not JSON.'])
    expect(sender).toMatchObject({ jobs: 3, refusals: 3, nextLine: 7, failure: undefined })
  })

  test('that the database refuses is halved until the culprit stands alone', async () => {
    const { sender, stored, refused } = arrange((items) => refuse(items, 'bad', dataError))
    const values = Array.from({ length: 100 }, (_, index) => (index === 41 ? 'bad' : index))
    for (const [index, args] of values.entries()) await sender.add(line(index + 1, args))
    await sender.finish()
    expect(stored).toEqual(values.filter((value) => value !== 'bad'))
    expect(refused).toEqual(['42: The database refuses it: out of range.'])
  })

  test('whose answer is lost is unknown, and nothing is sent after it', async () => {
    let sent = 0
    const { sender, stored } = arrange(async () => {
      sent += 1
      if (sent === 2) throw new MillraceError('OUTCOME_UNKNOWN')
    })
    for (let number = 1; number <= 5_000; number += 1) await sender.add(line(number))
    await sender.finish()
    expect(sent).toBe(2)
    expect(stored).toHaveLength(2_000)
    expect(sender.unknown).toEqual({ from: 2_001, to: 4_000, jobs: 2_000 })
    expect(sender.nextLine).toBe(2_001)
  })

  test('that was not sent is not unknown', async () => {
    const gone = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const { sender } = arrange(() => Promise.reject(gone))
    await sender.add(line(3))
    await sender.finish()
    expect(sender).toMatchObject({ jobs: 0, nextLine: 3, unknown: undefined })
    expect(sender.failure).toEqual({ error: gone })
  })

  test('is bounded, in jobs and in bytes, and whoever adds waits', async () => {
    const sizes: number[] = []
    const { sender } = arrange(async (items) => {
      sizes.push(items.length)
      await new Promise(setImmediate)
    })
    for (let number = 1; number <= 9_000; number += 1) await sender.add(line(number))
    await sender.finish()
    for (let number = 9_001; number <= 9_006; number += 1) {
      await sender.add(line(number, number, 3 * 1_024 * 1_024))
    }
    await sender.finish()
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2_000)
    expect(sizes.slice(-3)).toEqual([2, 2, 2])
    expect(sender.jobs).toBe(9_006)
  })

  test('that has not begun is forgotten by a stop, after which it is known where to go on', async () => {
    let answer = (): void => {}
    const { sender, stored } = arrange(() => new Promise<void>((resolve) => (answer = resolve)))
    await sender.add(line(1))
    sender.kick()
    await sender.add(line(2))
    const stopped = sender.stop()
    answer()
    await stopped
    expect(stored).toEqual([1])
    expect(sender.nextLine).toBe(2)
  })
})
