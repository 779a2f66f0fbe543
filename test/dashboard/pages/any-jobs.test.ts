import { describeEachDatabase, expect } from '../../support/fixtures.ts'
import { findUnsafe, visitor } from './arrange.ts'

const EVIL = `"><img src=x onerror=alert(1)>`

describeEachDatabase('the page that leads to the jobs of a queue', (test) => {
  test('who names a queue is led to its jobs, with the filter', async ({
    db,
    schema,
    openQueue,
  }) => {
    await openQueue({ queueName: 'emails' }).enqueue(1, { delay: '1h' })
    const visit = visitor(db, schema, 'viewer', { basePath: '/admin' })
    const leadsTo = async (query: string) =>
      (await visit(`/admin/jobs?${query}`)).headers.get('location')
    expect(await leadsTo('queue=emails')).toBe('/admin/queues/emails/jobs')
    expect(
      await leadsTo('queue=+emails+&status=failed&tags=a&tags=b&errorText=&olderThan=1h'),
    ).toBe('/admin/queues/emails/jobs?status=failed&olderThan=1h&tags=a&tags=b')
    const evil = await leadsTo(`queue=${encodeURIComponent(EVIL)}`)
    expect(evil).toBe(`/admin/queues/${encodeURIComponent(EVIL)}/jobs`)
    expect(await leadsTo('queue=..%2F..%2Fevil.example')).toBe(
      '/admin/queues/..%2F..%2Fevil.example/jobs',
    )
  })

  test('who does not chooses, and keeps the filter', async ({ db, schema, openQueue }) => {
    const visit = visitor(db, schema, 'viewer')
    expect((await visit('/jobs')).html).toContain('There is no queue yet')
    for (const queueName of ['emails', EVIL]) {
      await openQueue({ queueName }).enqueue(1, { delay: '1h' })
    }
    const { status, html } = await visitor(db, schema, 'viewer')('/jobs?status=failed')
    expect(status).toBe(200)
    expect(html).toContain('href="/queues/emails/jobs?status=failed"')
    expect(findUnsafe(html)).toEqual([])
    expect((await visit('/jobs?status=nonsense')).status).toBe(400)
  })
})
