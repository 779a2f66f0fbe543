import { expect } from 'vitest'
import { describeEachDatabase } from '../support/fixtures.ts'
import { adminApi } from './arrange.ts'

describeEachDatabase('tags over HTTP', (test) => {
  test('jobs are given tags, listed and steered by them', async ({ db, schema }) => {
    const api = adminApi(db, schema)
    await api('PUT', '/api/queues/emails')
    const jobs = Array.from({ length: 9 }, (_, n) => ({
      args: n,
      ...(n === 0 ? {} : { tags: ['mail', `customer:${n % 3}`] }),
    }))
    const enqueued = await api('POST', '/api/queues/emails/jobs', { jobs })
    expect(enqueued.body.jobs[0]).toMatchObject({ tags: [] })
    expect(enqueued.body.jobs[1]).toMatchObject({ tags: ['mail', 'customer:1'] })
    const { id } = enqueued.body.jobs[1] ?? { id: '' }

    const list = '/api/queues/emails/jobs?order=oldest'
    const found = await api('GET', `${list}&tags=customer%3A1&tags=mail`)
    expect(found.body.jobs.map(({ args }) => args)).toEqual([1, 4, 7])
    expect(found.body.jobs[0]).toMatchObject({ tags: ['mail', 'customer:1'] })
    const page = await api('GET', `${list}&tags=mail&limit=3`)
    const next = await api('GET', `${list}&tags=mail&limit=9&cursor=${page.body.next}`)
    expect(next.body.jobs).toHaveLength(5)
    const other = await api('GET', `${list}&tags=customer%3A1&cursor=${page.body.next}`)
    expect(other.body.error.code).toBe('INVALID_CURSOR')

    const edited = await api('PATCH', `/api/jobs/${id}`, { tags: ['späť', "it's"] })
    expect(edited.body).toMatchObject({ tags: ['späť', "it's"] })
    expect((await api('GET', `${list}&tags=it%27s`)).body.jobs).toMatchObject([{ id }])
    const tags = ['customer:1']
    const preview = await api('POST', '/api/queues/emails/cancel', { tags, dryRun: true })
    expect(preview.body).toMatchObject({ count: { value: 2 }, sample: [{ args: 4 }, { args: 7 }] })
    expect((await api('POST', '/api/queues/emails/cancel', { tags })).body.changed).toBe(2)
    const past = await api('GET', `${list}&status=cancelled&tags=customer%3A1`)
    expect(past.body.jobs).toMatchObject([{ args: 4, tags: ['mail', ...tags] }, { args: 7 }])
    expect((await api('PATCH', `/api/jobs/${id}`, { tags: [] })).body).toMatchObject({ tags: [] })
    const [entry] = (await api('GET', '/api/audit')).body.entries
    expect(entry).toMatchObject({ action: 'editJob', request: { fields: ['tags'] } })
  })

  test('tags that cannot be are refused by their place', async ({ db, schema }) => {
    const api = adminApi(db, schema)
    await api('PUT', '/api/queues/a')
    const enqueue = (tags: unknown) =>
      api('POST', '/api/queues/a/jobs', { jobs: [{ args: 1, tags }] })
    for (const [tags, field] of [
      ['mail', 'jobs[0].tags'],
      [Array(11).fill('x'), 'jobs[0].tags'],
      [[7], 'jobs[0].tags[0]'],
      [['a', 'a'], 'jobs[0].tags[1]'],
      [[''], 'jobs[0].tags[0]'],
      [['a\u0000'], 'jobs[0].tags[0]'],
      [['\ud800'], 'jobs[0].tags[0]'],
      [['x'.repeat(101)], 'jobs[0].tags[0]'],
    ] as const) {
      const { status, body } = await enqueue(tags)
      expect([status, body.error.code, body.error.field]).toEqual([400, 'INVALID_OPTION', field])
    }
    const asked = async (query: string) => {
      const { status, body } = await api('GET', `/api/queues/a/jobs?${query}`)
      return `${status} ${body.error?.code} ${body.error?.field}`
    }
    expect(await asked('tags=')).toBe('400 INVALID_OPTION tags[0]')
    expect(await asked('tags=%00')).toBe('400 INVALID_OPTION tags[0]')
    expect(await asked('tags=a&tags=a')).toBe('400 INVALID_OPTION tags[1]')
    expect(await asked(Array(11).fill('tags=x').join('&'))).toBe('400 INVALID_OPTION tags')
    expect(await asked('tag=a')).toBe('400 INVALID_OPTION tag')
    const nothing = await api('POST', '/api/queues/a/cancel', { tags: [] })
    expect(nothing.body.error).toMatchObject({ code: 'INVALID_OPTION', field: 'tags' })
    expect((await api('GET', '/api/queues/a')).body.counts.available?.value).toBe(0)
  })
})
