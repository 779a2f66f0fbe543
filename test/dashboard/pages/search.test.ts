import { expect } from 'vitest'
import { describeEachDatabase } from '../../support/fixtures.ts'
import { HOSTILE, seeAs } from './see.ts'

describeEachDatabase('the search', (test) => {
  test('leads to a job by its id, and to a queue by its name', async ({
    db,
    schema,
    openQueue,
  }) => {
    const queue = openQueue(() => undefined, { queueName: 'a/b', keepFinished: '1d' })
    const waiting = await queue.enqueue(1, { delay: '1h' })
    const ended = await queue.enqueue(1)
    await queue.drain()
    const see = seeAs('viewer', db, schema, { basePath: '/jobs' })
    const leadsTo = async (text: string): Promise<string | null> => {
      const { status, headers } = await see(`/jobs/search?q=${encodeURIComponent(text)}`)
      return status === 303 ? headers.get('location') : null
    }
    expect(await leadsTo(waiting.id)).toBe(`/jobs/jobs/${waiting.id}`)
    expect(await leadsTo(` ${ended.id} `)).toBe(`/jobs/jobs/${ended.id}`)
    expect(await leadsTo('a/b')).toBe('/jobs/queues/a%2Fb')
    await openQueue({ queueName: '777777' }).enqueue(1, { delay: '1h' })
    expect(await leadsTo('777777')).toBe('/jobs/queues/777777')
    for (const nothing of ['a', '77777', '0', '99999999999999999999', '//evil.example']) {
      expect(await leadsTo(nothing)).toBeNull()
    }
  })

  test('lists the queues that have the text in their names', async ({ db, schema, rows }) => {
    await rows(`insert into {schema}.queues (name, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
      select 'Mail ' || to_char(n, 'fm000'), 0, 0, 0 from generate_series(1, 30) as n union all select 'other', 0, 0, 0`)
    const { text, html } = await seeAs('viewer', db, schema)('/search?q=mail')
    expect(text).toContain('No queue is called “mail”.')
    expect(text).toMatch(/Mail 001 0 .*Mail 020 0 /s)
    expect(text).not.toMatch(/Mail 021|other/)
    expect(html).toContain('href="/?name=mail"')
  })

  test('says what would be found where nothing is', async ({ db, schema }) => {
    const see = seeAs('viewer', db, schema)
    const said = async (query: string): Promise<string> => (await see(`/search${query}`)).text
    expect(await said('')).toContain('Write the id of a job')
    expect(await said('?q=%20')).toContain('Write the id of a job')
    expect(await said('?q=42')).toContain('There is no job 42, and no queue of that name.')
    expect(await said('?q=007')).toContain('There is no job 007')
    expect(await said(`?q=${encodeURIComponent(HOSTILE)}`)).toContain(
      `No queue is called “${HOSTILE}”.`,
    )
    for (const query of ['?q=%00', `?q=${'x'.repeat(301)}`, '?p=x', '?q=a&q=b']) {
      expect([query, (await see(`/search${query}`)).status]).toEqual([query, 400])
    }
  })
})
