import { describe } from 'vitest'
import { expect, test, until } from '../support/fixtures.ts'
import { commandsOf, findingsOf, findingThat } from './arrange.ts'

/** Makes everything that is due have been due for so long. */
const AGE = `update {schema}.jobs set run_at = run_at - $1::interval`

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

describe('queues', () => {
  test('that are paused while jobs are due are told, with who paused them and why', async ({
    db,
    schema,
    rows,
    queue,
  }) => {
    await queue.enqueue(1)
    await queue.pause({ by: 'ada', reason: 'the provider is down' })
    await rows(AGE, ['2 minutes'])
    const [finding] = await findingsOf('queues', db, { schema })
    expect(finding).toMatchObject({
      level: 'warning',
      message: expect.stringContaining('paused by ada (the provider is down)') as string,
    })
    expect(finding?.remedy).toContain('queues resume default')
    await queue.resume()
    expect((await findingsOf('queues', db, { schema }))[0]?.message).not.toContain('paused')
  })

  test('that are empty, received, or not due for long are well', async ({
    db,
    schema,
    rows,
    openQueue,
    receive,
    seen,
    untilRow,
  }) => {
    expect(await findingsOf('queues', db, { schema })).toMatchObject([
      { level: 'ok', message: 'There are no queues yet.' },
    ])
    const received = openQueue(() => undefined, { queueName: 'received' })
    receive(received)
    await seen('job.finished', (await received.enqueue(1)).id)
    await untilRow('select from {schema}.workers where queue_ids <> $1', ['{}'])
    await openQueue({ queueName: 'later' }).enqueue(1, { delay: '1h' })
    await openQueue({ queueName: 'now' }).enqueue(1)
    expect(await findingsOf('queues', db, { schema })).toEqual([
      {
        check: 'queues',
        level: 'ok',
        message: '3 queues, and none whose due jobs nobody runs.',
      },
    ])
    await rows(AGE, ['2 minutes'])
    const findings = await findingsOf('queues', db, { schema })
    expect(findings.map(({ details }) => details?.['queue'])).toEqual(['now'])
  })

  test('in which jobs are due and that nobody receives are told, with the name that was meant', async ({
    db,
    schema,
    rows,
    openQueue,
    receive,
    seen,
  }) => {
    const emails = openQueue(() => undefined, { queueName: 'emails' })
    receive(emails)
    await seen('job.finished', (await emails.enqueue(1)).id)
    await openQueue({ queueName: 'emials' }).enqueue({ to: 'ada@example.org' })
    await rows(AGE, ['10 minutes'])
    const [finding, ...others] = await findingsOf('queues', db, { schema })
    expect(others).toEqual([])
    expect(finding).toMatchObject({ level: 'warning', details: { queue: 'emials' } })
    expect(finding?.message).toMatch(
      /^Jobs have been due for 10 min \d+ s in the queue "emials", and nobody has received it in the last day\. Is "emails" meant, which is received\?$/,
    )
    expect(commandsOf(finding as never)).toEqual([
      `millrace jobs list --queue emials --schema '${schema}'`,
    ])
    expect(JSON.stringify(finding)).not.toContain('ada@')
  })

  test('whose worker has gone are told, with the time since when', async ({
    db,
    schema,
    rows,
    openQueue,
    receive,
    seen,
  }) => {
    const queue = openQueue(() => undefined, { queueName: 'emails' })
    const receiving = receive(queue)
    await seen('job.finished', (await queue.enqueue(1)).id)
    await receiving.stop()
    await queue.enqueue(2)
    await rows(AGE, ['10 minutes'])
    await rows(`update {schema}.workers set beat_at = beat_at - interval '3 hours'`)
    const finding = await findingThat('for 3 h 0 min nobody has received it', 'queues', db, {
      schema,
    })
    expect(finding.level).toBe('warning')
  })

  test('of dead letters are well until they grow', async ({ db, schema, rows, openQueue }) => {
    const queue = openQueue(
      () => {
        throw new Error('never')
      },
      { queueName: 'emails', dlq: 'emails-dead', logger: quiet },
    )
    await queue.enqueueMany(Array.from({ length: 12 }, (_, args) => ({ args, maxRetries: 0 })))
    await queue.drain()
    await rows(AGE, ['2 minutes'])
    const finding = await findingThat('12 dead letters came', 'queues', db, { schema })
    expect(finding).toMatchObject({
      level: 'warning',
      message:
        'The dead-letter queue "emails-dead" grows: 12 dead letters came within the last hour.',
      details: { queue: 'emails-dead', withinAnHour: 12 },
    })
    await rows(AGE, ['2 hours'])
    expect(await findingsOf('queues', db, { schema })).toMatchObject([{ level: 'ok' }])
  })

  test('beyond the first twenty are counted', async ({ db, schema, rows }) => {
    await rows(
      `insert into {schema}.queues (name, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
       select 'queue ' || n, 0, 0, 0 from generate_series(1, 22) as n`,
    )
    await rows(
      `insert into {schema}.jobs (queue_id, priority, run_at, created_at, max_retries, retry_policy, args, metadata)
       select id, 5, now() - interval '1 hour', now(), 0, 'constant', '1', '{}' from {schema}.queues`,
    )
    const findings = await findingsOf('queues', db, { schema })
    expect(findings).toHaveLength(21)
    expect(findings.at(-1)?.message).toBe('2 queues more are like these.')
  })
})

describe('workers', () => {
  test('that live are counted', async ({ db, schema, queue, openQueue, receive, untilRow }) => {
    expect(await findingsOf('workers', db, { schema })).toMatchObject([
      { level: 'ok', message: '0 workers live.' },
    ])
    receive(openQueue(() => undefined))
    await queue.enqueue(1)
    await untilRow('select from {schema}.workers')
    expect(await findingsOf('workers', db, { schema })).toMatchObject([
      { level: 'ok', details: { living: 1, releases: ['0.1.0'] } },
    ])
  })

  test('that died and that nobody has declared dead are told', async ({
    db,
    schema,
    rows,
    child,
    untilRow,
  }) => {
    const doomed = await child.receive()
    const { id } = await untilRow('select id from {schema}.workers')
    doomed.kill('SIGKILL')
    await doomed.exited
    await rows(`update {schema}.workers set beat_at = beat_at - interval '5 minutes'`)
    const finding = await findingThat('nobody has declared it dead', 'workers', db, { schema })
    expect(finding).toMatchObject({ level: 'warning', details: { worker: id } })
    await rows(`update {schema}.workers set dead_at = now() - interval '5 minutes'`)
    const dead = await findingThat('has not all been freed', 'workers', db, { schema })
    expect(dead).toMatchObject({ level: 'warning', details: { worker: id } })
    await rows('update {schema}.workers set rescued_at = now()')
    expect(await findingsOf('workers', db, { schema })).toMatchObject([{ level: 'ok' }])
  })
})

describe('a worker whose event loop is blocked', () => {
  const WORKER = `insert into {schema}.workers (token, host, pid, version, lease_ms, event_loop_lag_ms, beat_at)
    values ('token', $1, 17, '0.1.0', 30000, $2, now() - $3::interval)`

  test('for more than a third of its lease is told, with what to do', async ({
    db,
    schema,
    rows,
  }) => {
    await rows(WORKER, ['quick', 10_000, '1 second'])
    await rows(WORKER, ['new', null, '1 second'])
    await rows(WORKER, ['gone', 20_000, '31 seconds'])
    expect(await findingsOf('workers', db, { schema })).toMatchObject([{ level: 'ok' }])
    await rows(WORKER, ['slow', 12_345, '1 second'])
    const finding = await findingThat('is blocked', 'workers', db, { schema })
    expect(finding.level).toBe('warning')
    expect(finding.message).toContain('(process 17 on slow)')
    expect(finding.message).toContain('12,345 ms')
    expect(finding.remedy).toContain('worker_threads')
    expect(finding.details).toMatchObject({ host: 'slow', pid: 17, eventLoopLagMs: 12_345 })
  })

  test('comes before those that are blocked for less, and the rest is counted', async ({
    db,
    schema,
    rows,
  }) => {
    for (let lag = 11_000; lag < 23_000; lag += 1_000) await rows(WORKER, ['slow', lag, '0'])
    const findings = await findingsOf('workers', db, { schema })
    expect(findings).toHaveLength(12)
    expect(findings[0]?.message).toContain('22,000 ms')
    expect(findings[10]?.message).toBe('2 workers more are like these.')
  })
})

test('suspects that wait are told', async ({ db, schema, rows, queue }) => {
  const { id } = await queue.enqueue(1)
  expect(await findingsOf('suspects', db, { schema })).toMatchObject([{ level: 'ok' }])
  await rows('update {schema}.jobs set claimed_by = 0, is_suspect = true')
  await rows(
    'insert into {schema}.suspects (queue_id, job_id) select queue_id, id from {schema}.jobs',
  )
  const finding = await findingThat('wait to be run alone: "default" (1)', 'suspects', db, {
    schema,
  })
  expect(finding.level).toBe('warning')
  expect(id).not.toBe('')
})

describe('history', () => {
  /** A drain is over before all days are made; a worker that stays makes them. */
  async function untilWell(db: unknown, schema: string): Promise<void> {
    const isWell = async (): Promise<boolean> =>
      (await findingsOf('history', db, { schema })).every(({ level }) => level === 'ok')
    await until(isWell, { what: 'the days of history' })
  }

  test('needs nothing before the first worker, and then gets its days', async ({
    db,
    schema,
    queue,
    openQueue,
    receive,
    seen,
  }) => {
    const { id } = await queue.enqueue(1)
    expect((await findingsOf('history', db, { schema }))[0]?.message).toContain('before the first')
    receive(openQueue(() => undefined))
    await seen('job.finished', id)
    await untilWell(db, schema)
    const finding = await findingThat('all that the coming ones need', 'history', db, { schema })
    expect(finding.level).toBe('ok')
  })

  test('that lacks a coming day, or has one that is over, is told', async ({
    db,
    schema,
    rows,
    queue,
    openQueue,
    receive,
    seen,
  }) => {
    const { id } = await queue.enqueue(1)
    const receiving = receive(openQueue(() => undefined))
    await seen('job.finished', id)
    await untilWell(db, schema)
    await receiving.stop()
    await rows(`select {schema}.add_history_partition('2021-05-01')`)
    const left = await findingThat('jobs that have expired', 'history', db, { schema })
    expect(left).toMatchObject({ level: 'warning', details: { left: ['2021-05-01'] } })
    await rows(`select {schema}.drop_history_partition('2021-05-01')`)
    const [{ day } = {}] = await rows(
      `select to_char((now() at time zone 'UTC' + interval '3 days')::date, 'YYYYMMDD') as day`,
    )
    await rows(`drop table {schema}.history_${String(day)}`)
    const missing = await findingThat('History lacks 1 day', 'history', db, { schema })
    expect(missing.level).toBe('warning')
    // A worker makes it again.
    receive(openQueue(() => undefined))
    await untilWell(db, schema)
  })
})
