import { expect } from 'vitest'
import { describeEachDatabase, until, type OpenQueue } from '../../support/fixtures.ts'
import { visitor } from './arrange.ts'
import { linksOf, openDashboard } from './html.ts'
import { actionsOf, lookAs, textOf } from './look-at.ts'

/** Jobs of a queue that failed for good with these messages. */
async function bury(
  openQueue: OpenQueue,
  queueName: string,
  messages: readonly string[],
  dlq = 'dead',
): Promise<string[]> {
  const queue = openQueue(
    async ({ args }) => {
      throw new Error(String(args))
    },
    { queueName, dlq },
  )
  const jobs = await queue.enqueueMany(messages.map((args) => ({ args, maxRetries: 0 })))
  await queue.drain()
  return jobs.map(({ id }) => id)
}

describeEachDatabase('the page of dead letters', (test) => {
  test('says what a dead-letter queue is where there is none', async ({ db, schema, queue }) => {
    await queue.enqueue(1)
    const { status, html } = await visitor(db, schema)('/dead-letters')
    expect(status).toBe(200)
    expect(textOf(html)).toContain('No queue has a dead-letter queue')
    expect(textOf(html)).toContain(`dlq: 'emails-dead'`)
    expect(html).not.toContain('<table')
  })

  test('lists them with what they hold, what came lately, and from where', async ({
    db,
    schema,
    rows,
    openQueue,
  }) => {
    const { visit } = openDashboard(db, schema)
    await bury(openQueue, 'emails', ['no', 'no'])
    await bury(openQueue, 'reports', ['no'])
    await bury(openQueue, 'other', [], 'empty')
    await rows('delete from {schema}.tallies')
    await rows(`
      insert into {schema}.statistics (queue_id, step, at, enqueued, started, finished, retried, failed,
        dead_lettered, snoozed, interrupted, crashed, cancelled, wait_us, run_us, waits, runs)
      select queues.id, step, now() - age, 0, 0, 0, 0, 0, many, 0, 0, 0, 0, 0, 0, '{}', '{}'
      from {schema}.queues, (values ('minute', interval '10 minutes', 1), ('minute', interval '3 hours', 1000),
        ('hour', interval '30 hours', 7), ('ever', now() - '1970-01-01', 9)) as known (step, age, many)
      where queues.name in ('emails', 'reports')`)
    // Who looks does not wait for the sum of a day.
    const isCounted = async () => !(await visit('/dead-letters')).html.includes('counting')
    await until(isCounted, { what: 'the dead letters of a day' })
    const { html } = await visit('/dead-letters')
    expect(textOf(html)).toMatch(/dead 3 \+2 \+2,002 emails , reports empty 0 – none – none other/)
    expect(linksOf(html)).toContain('/dead-letters?queue=dead')
    expect(html).toContain('data-row="/dead-letters?queue=dead"')
  })

  test('groups those of a queue by what they failed of', async ({ db, schema, openQueue }) => {
    const { visit } = openDashboard(db, schema)
    const ids = await bury(openQueue, 'emails', ['no user 1', 'no user 2', 'no user 3', '42'])
    await bury(openQueue, 'reports', ['no user 77', 'disk "a" is full'])
    const { html } = await visit('/dead-letters?queue=dead')
    const read = textOf(html)
    expect(read).toContain('Jobs of emails , reports come here')
    expect(read).toMatch(/Error no user ‹number› Newest stack .* 4 emails 3 reports 1 /)
    expect(read).toContain('Error disk ‹text› is full')
    expect(linksOf(html)).toContain('/queues/dead/jobs?errorText=Error%3A+no+user')
    expect(linksOf(html)).toContain(`/jobs/${ids[2]}`)
    // One for each cause that has a text of its own, which "42" has not.
    expect(html.match(/data-action="[^"]*&quot;errorText&quot;/g)).toHaveLength(2)
  })

  test('sends a group back, after a look at it', async ({ db, schema, openQueue }) => {
    const { api, visit } = openDashboard(db, schema)
    await bury(openQueue, 'emails', ['no user 1', 'no user 2', 'disk is full'])
    const { html } = await visit('/dead-letters?queue=dead')
    const action = actionsOf(html)['Redrive']
    expect(action).toMatchObject({
      preview: true,
      body: { errorText: expect.any(String) as string },
    })
    const send = (body: object) => api(String(action?.method), String(action?.path), body)
    const one = { errorText: 'Error: no user' }
    const { body } = await send({ ...one, dryRun: true })
    expect(body.count).toEqual({ value: 2, precision: 'exact' })
    expect((await send(one)).body.changed).toBe(2)
    const rest = textOf((await visit('/dead-letters?queue=dead')).html)
    expect(rest).toContain('1 dead letter,')
    const all = actionsOf((await visit('/dead-letters?queue=dead')).html)['Redrive all']
    expect((await send(all?.body ?? {})).body.changed).toBe(1)
    const none = textOf((await visit('/dead-letters?queue=dead')).html)
    expect(none).toContain('No dead letters')
  })

  test('has buttons only for who may press them', async ({ db, schema, openQueue }) => {
    await bury(openQueue, 'emails', ['no user'])
    const seenBy = async (role: 'viewer' | 'operator') => {
      const { html } = await visitor(db, schema, role)('/dead-letters?queue=dead')
      return Object.keys(actionsOf(html))
    }
    expect(await seenBy('viewer')).toEqual([])
    expect(await seenBy('operator')).toEqual(['Redrive all', 'Redrive'])
  })

  test('is refused for what is no queue', async ({ db, schema }) => {
    const { api, visit } = openDashboard(db, schema)
    await api('PUT', '/api/queues/emails')
    const statusOf = async (query: string) => (await visit(`/dead-letters?${query}`)).status
    expect(await statusOf('queue=none')).toBe(404)
    expect(await statusOf('queue=no%00ne')).toBe(404)
    expect(await statusOf('queue=')).toBe(200) // as an empty field of a form
    expect(await statusOf(`queue=${'x'.repeat(201)}`)).toBe(400)
    expect(await statusOf('queue=a&queue=b')).toBe(400)
    expect(await statusOf('__proto__=a')).toBe(400)
    const { status, html } = await visit('/dead-letters?queue=emails')
    expect([status, textOf(html).includes('No queue sends its failed jobs here')]).toEqual([
      200,
      true,
    ])
  })

  test('shows hostile data as text, and nothing that is redacted', async ({
    db,
    schema,
    openQueue,
  }) => {
    const evil = `<script>alert("x")</script>'"><img src=x>`
    await bury(openQueue, evil, [evil, '{"isEscaped":true}', '__proto__'], `${evil} dead`)
    const address = `/dead-letters?queue=${encodeURIComponent(`${evil} dead`)}`
    const look = lookAs('admin', db, schema)
    for (const path of [address, '/dead-letters']) {
      const { status, text } = await look(path)
      expect(status).toBe(200)
      expect(text).toContain(evil)
    }
    const redact = ['errors.*.message', 'errors.*.stack']
    const redacting = visitor(db, schema, 'admin', { redact })
    const { html } = await redacting(address)
    expect(html).not.toContain('isEscaped')
    expect(textOf(html)).toContain('Error [redacted]')
    expect(Object.keys(actionsOf(html))).toEqual(['Redrive all'])
  })
})
