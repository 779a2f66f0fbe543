import { describe } from 'vitest'
import { expect, test, type Fixtures } from '../support/fixtures.ts'
import { json, lines, stock } from './arrange.ts'
import { millrace } from './millrace.ts'

/** Buries letters to nobody; answers their ids. */
async function buried(openQueue: Fixtures['openQueue'], count: number): Promise<string[]> {
  const queue = openQueue<unknown, unknown>(
    (job) => {
      throw new Error(`No address ${String(job.metadata['n'])}`)
    },
    { queueName: 'emails', dlq: 'emails-dead' },
  )
  const items = Array.from({ length: count }, (_, n) => ({
    ...{ args: { to: n }, metadata: { n, isOdd: n % 2 === 1 }, maxRetries: 0 },
  }))
  const jobs = await queue.enqueueMany(items)
  await queue.drain()
  return jobs.map(({ id }) => id)
}

const ANSWER = { queue: 'emails-dead', dryRun: false, refused: [] }

describe('millrace redrive', () => {
  test('sends dead letters back', async ({ openQueue, schema, queue }) => {
    const { dead } = await stock(openQueue)
    await queue.enqueue(1)
    const none = await millrace(['redrive', 'default'], { schema })
    expect(none.stdout).toBe('No job waits in default that came from another queue.\n')
    const ended = await millrace(['redrive', 'emails-dead', '--limit', '5'], { schema })
    expect(ended).toMatchObject({ code: 0, stdout: '1 job of emails-dead went back.\n' })
    expect(await json(['jobs', 'show', dead], { schema })).toMatchObject({ queueName: 'emails' })
    expect(await json(['redrive', 'emails-dead'], { schema })).toEqual({ ...ANSWER, redriven: 0 })
  })

  test('chooses them by filters, and only counts and shows them with --dry-run', async ({
    openQueue,
    schema,
  }) => {
    await buried(openQueue, 25)
    const odd = ['redrive', 'emails-dead', '--metadata', '{"isOdd":true}']
    const dry = lines(await millrace([...odd, '--dry-run'], { schema }))
    expect(dry[0]).toBe('12 jobs of emails-dead would go back.')
    expect(dry[3]?.trim()).toMatch(/^\d+ +emails-dead +available .*Error: No address 1$/)
    expect(dry.at(-1)).toBe('… and 2 more')
    expect(await json([...odd, '--dry-run', '-n', '1'], { schema })).toEqual({
      ...{ ...ANSWER, dryRun: true, redriven: 1, isExact: true },
      sample: [expect.objectContaining({ args: { to: 1 }, queueName: 'emails-dead' })],
    })
    expect(await json(odd, { schema })).toEqual({ ...ANSWER, redriven: 12 })
    const byError = ['redrive', 'emails-dead', '--error', 'address 2', '--newer-than', '1h']
    expect(await json(byError, { schema })).toEqual({ ...ANSWER, redriven: 4 }) // 2, 20, 22, 24
    const none = await millrace([...byError, '--older-than', '1h'], { schema })
    expect(none.stdout).toBe('No such job waits in emails-dead that came from another queue.\n')
    expect(await json(['redrive', 'emails-dead'], { schema })).toEqual({ ...ANSWER, redriven: 9 })
  })

  test('takes them by their ids, and says what cannot go', async ({ openQueue, schema }) => {
    const [a = '', b = '', c = ''] = await buried(openQueue, 3)
    const dead = openQueue({ queueName: 'emails-dead' })
    const own = await dead.enqueue('own')
    await dead.cancel(c)
    const ids = [a, b, b, c, own.id, '987654'].flatMap((id) => ['--id', id])
    const dry = await millrace(['redrive', 'emails-dead', ...ids, '--dry-run'], { schema })
    expect(dry).toMatchObject({ code: 3, stderr: expect.stringContaining('it cannot go back') as unknown })
    expect(lines(dry)[0]).toBe('2 jobs of emails-dead would go back.')
    const ended = await millrace(['redrive', 'emails-dead', ...ids], { schema })
    expect(ended).toMatchObject({ code: 3, stdout: '2 jobs of emails-dead went back.\n' })
    expect(ended.stderr).toBe(
      `! Job ${c} is cancelled; it cannot go back.\n` +
        `! Job ${own.id} did not come from another queue; it cannot go back.\n` +
        '! Job 987654 is not there; it cannot go back.\n',
    )
    const again = await millrace(['redrive', 'emails-dead', '--id', a, '--json'], { schema })
    expect(again.code).toBe(1)
    const refused = [{ id: a, reason: 'is not there' }]
    expect(JSON.parse(again.stdout)).toEqual({ ...ANSWER, redriven: 0, refused })
  }) // prettier-ignore

  test('sends one back with other arguments', async ({ openQueue, schema }) => {
    const [a = '', b = ''] = await buried(openQueue, 2)
    const emails = openQueue({ queueName: 'emails' })
    const args = ['redrive', 'emails-dead', '--id', a, '--args', '{"to":"ada"}']
    expect(await json([...args, '--dry-run'], { schema })).toMatchObject({
      ...{ redriven: 1, sample: [{ id: a, args: { to: 'ada' } }] },
    })
    expect(await emails.get(a)).toMatchObject({ queueName: 'emails-dead', args: { to: 0 } })
    expect(await json(args, { schema })).toEqual({ ...ANSWER, redriven: 1 })
    expect(await emails.get(a)).toMatchObject({ queueName: 'emails', args: { to: 'ada' } })
    const piped = ['redrive', 'emails-dead', '--id', b, '--args', '-']
    expect(await millrace(piped, { schema, input: '{"to":"eve"}\n' })).toMatchObject({ code: 0 })
    expect(await emails.get(b)).toMatchObject({ queueName: 'emails', args: { to: 'eve' } })
  })
})
