import { afterEach, vi } from 'vitest'
import { JobQueue, pinoLogger, type Logger } from '../../src/index.ts'
import { describeEachDatabase, expect, test, type LogLine } from '../support/fixtures.ts'
import { gate, inTransaction } from './arrange.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const fail = (): never => {
  throw new Error('on purpose')
}

/** What the log says at each level, in order. */
function said(log: readonly LogLine[], level: LogLine['level']): unknown[] {
  return log.filter((line) => line.level === level).map((line) => line.fields?.['event'])
}

describeEachDatabase('a logger', (test) => {
  test('is told what a job goes through, at the level that it matters', async ({
    openQueue,
    log,
  }) => {
    const queue = openQueue((job) => (job.args === 'fail' ? fail() : job.args), {
      baseRetryDelay: 0,
      dlq: 'dead',
    })
    const failing = await queue.enqueue('fail', { maxRetries: 1 })
    await queue.enqueue('return')
    await queue.drain()
    expect(said(log, 'debug')).toEqual(
      expect.arrayContaining(['job.enqueued', 'job.started', 'job.finished', 'claim.made']),
    )
    expect(said(log, 'info')).toEqual(['worker.registered', 'worker.stopped'])
    expect(said(log, 'warn')).toEqual(['job.retried'])
    expect(said(log, 'error')).toEqual(['job.dead_lettered'])
    const [retried] = log.filter((line) => line.level === 'warn')
    expect(retried).toMatchObject({
      message: `Failed job ${failing.id} of queue "default" (run 1): Error: on purpose. It is retried in 0 ms.`,
      fields: {
        ...{ event: 'job.retried', jobId: failing.id, queueName: 'default', attempt: 1 },
        ...{ retryInMs: 0, error: { name: 'Error', message: 'on purpose' } },
      },
    })
  })

  test('never sees arguments, metadata or results', async ({ db, openQueue, log }) => {
    const secret = 'hunter2'
    const queue = openQueue(
      async (job, { complete }) => {
        if (job.args === secret) throw new Error('no secrets here')
        await inTransaction(db, (tx) => complete(tx, { secret, big: 1n }))
      },
      { baseRetryDelay: 0 },
    )
    await queue.enqueue(secret, { metadata: { [secret]: secret }, maxRetries: 1 })
    await queue.enqueue({ [secret]: secret })
    await queue.enqueue({ [secret]: 1n }).catch(() => undefined)
    await queue.drain()
    expect(log.length).toBeGreaterThan(5)
    expect(JSON.stringify(log)).not.toContain(secret)
  })

  test('that throws disturbs nothing', async ({ openQueue }) => {
    let calls = 0
    const broken = (): never => {
      calls += 1
      throw new Error('the disk is full')
    }
    const logger: Logger = { debug: broken, info: broken, warn: broken, error: broken }
    const queue = openQueue((job) => (job.args === 'fail' ? fail() : job.args), { logger })
    await queue.enqueue('return')
    await queue.enqueue('fail', { maxRetries: 0 })
    expect(await queue.drain()).toEqual({ finished: 1, failed: 1, retried: 0 })
    expect(calls).toBeGreaterThan(5)
  })

  test('that answers a promise which rejects disturbs nothing', async ({ openQueue }) => {
    const reject = (): Promise<void> => Promise.reject(new Error('the network is down'))
    const logger = { debug: reject, info: reject, warn: reject, error: reject } as unknown as Logger
    const queue = openQueue(() => undefined, { logger })
    await queue.enqueue(1)
    expect(await queue.drain()).toMatchObject({ finished: 1 })
  })

  test('is told of what the engine meets once, however many queues share it', async ({
    openQueue,
    receive,
    log,
    untilRow,
  }) => {
    const queues = ['a', 'b', 'c'].map((queueName) => openQueue(() => 1, { queueName }))
    const receiving = queues.map((queue) => receive(queue))
    await untilRow('select id from {schema}.workers where cardinality(queue_ids) = 3')
    await Promise.all(receiving.map((each) => each.stop()))
    expect(said(log, 'info')).toEqual(['worker.registered', 'worker.stopped'])
  })
})

describeEachDatabase('observe', (test) => {
  test('tells what happens to the jobs of the queue in their order, until it is ended', async ({
    openQueue,
  }) => {
    const queue = openQueue((job) => (job.attempt === 1 ? fail() : 'done'), { baseRetryDelay: 0 })
    const other = openQueue(() => undefined, { queueName: 'other' })
    const seen: string[] = []
    const forget = queue.observe((event) => {
      if ('jobId' in event) seen.push(`${event.type} ${event.jobId}`)
    })
    const { id } = await queue.enqueue(1)
    await other.enqueue(2)
    await other.drain()
    await queue.drain()
    expect(seen).toEqual(
      ['enqueued', 'started', 'retried', 'started', 'finished'].map((type) => `job.${type} ${id}`),
    )
    forget()
    await queue.enqueue(3)
    expect(seen).toHaveLength(5)
  })

  test('survives a listener that throws, and says so', async ({ openQueue, events, log }) => {
    const queue = openQueue(() => undefined)
    const forget = queue.observe((event) => {
      if (event.type === 'job.started') throw new Error('a broken listener')
    })
    const reject = queue.observe(() => Promise.reject(new Error('an async one')) as unknown as void)
    await queue.enqueue(1)
    expect(await queue.drain()).toMatchObject({ finished: 1 })
    forget()
    reject()
    const errors = events.all('listener.failed').map((event) => String(event.error))
    expect(errors).toContain('Error: a broken listener')
    expect(errors).toContain('Error: an async one')
    expect(said(log, 'error')).toContain('listener.failed')
  })
})

test('without a logger warnings and errors go to the console, and nothing else', async ({
  db,
  schema,
}) => {
  const lines: unknown[][] = []
  for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((...line: unknown[]) => {
      lines.push([level, ...line])
    })
  }
  const queue = new JobQueue(db, fail, { schema, baseRetryDelay: 0 })
  const { id } = await queue.enqueue(1, { maxRetries: 1 })
  await queue.drain()
  expect(lines).toMatchObject([
    ['warn', expect.stringMatching(`^millrace: Failed job ${id} .*retried`), { jobId: id }],
    ['error', expect.stringMatching(`^millrace: Failed job ${id} .*for good`), { jobId: id }],
  ])
})

test('pino gets the fields first', async ({ openQueue }) => {
  const lines: unknown[] = []
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, ...fields })
  const pino = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const queue = openQueue({ logger: pinoLogger(pino) })
  const { id } = await queue.enqueue(1)
  expect(lines).toEqual([
    {
      ...{ level: 'debug', event: 'job.enqueued', jobId: id, queueName: 'default' },
      message: `Enqueued job ${id} of queue "default".`,
    },
  ])
})

test('an enqueue that waits for a pool which its own handler exhausts is warned about, with the remedy', async ({
  db,
  openQueue,
  receive,
  log,
  seen,
}) => {
  db.options.max = 2 // one listens; the other is what the handler holds
  const release = gate()
  const queue = openQueue(async (job) => {
    if (job.args !== 'greedy') return
    const client = await db.connect()
    await Promise.race([queue.enqueue('from inside'), release.opened])
    client.release()
  })
  const job = await queue.enqueue('greedy')
  receive(queue)
  expect(await seen('pool.exhausted', { queueName: 'default' })).toMatchObject({
    waitedMs: expect.any(Number) as number,
  })
  const [line] = log.filter(({ fields }) => fields?.['event'] === 'pool.exhausted')
  expect(line).toMatchObject({ level: 'warn' })
  expect(line?.message).toMatch(/max above the concurrency, or pass their transaction as tx/)
  release.open()
  await seen('job.finished', job.id)
})
