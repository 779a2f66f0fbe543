import { expect } from 'vitest'
import { describeEachDatabase } from '../../support/fixtures.ts'
import { adminApi } from '../arrange.ts'
import { HOSTILE, seeAs } from './see.ts'

/** Inserts a worker: since when it lives, when it was heard of, and what became of it. */
const INSERT = `insert into {schema}.workers (token, host, pid, version, lease_ms, started_at, beat_at, stopped_at,
    dead_at, queue_ids, in_flight, rss_bytes, heap_bytes, event_loop_lag_ms)
  values ('t', $1, $2, '0.1.0', 30000, now() - interval '2 hours', now() - $3::interval, now() - $4::interval,
    now() - $5::interval, $6::text::int[], $7, 123000000, 45600000, $8)`

const endedHeading = / Ended /

describeEachDatabase('workers', (test) => {
  test('say how one comes to be where there is none', async ({ db, schema }) => {
    const { status, text } = await seeAs('viewer', db, schema)('/workers')
    expect(status).toBe(200)
    expect(text).toContain('Nobody receives')
    expect(text).toContain('npx millrace work ./queues.js')
    expect(text).toContain('None ended in the last day')
  })

  test('that live stand above those that ended, each with what its heartbeat told', async ({
    db,
    schema,
    rows,
  }) => {
    await rows(
      `insert into {schema}.queues (name, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
      select 'queue ' || n, 0, 0, 0 from generate_series(1, 7) as n union all select $1, 0, 0, 0`,
      [HOSTILE],
    )
    const [row] = await rows(`select array_agg(id)::text as ids from {schema}.queues`)
    const ids = row?.['ids']
    await rows(INSERT, ['alive.example', 1, '1 s', null, null, ids, 3, 12])
    await rows(INSERT, ['gone.example', 2, '1 h', '1 h', null, '{}', 0, 1])
    await rows(INSERT, [HOSTILE, 3, '50 s', null, null, '{}', null, null])
    await rows(INSERT, ['dead.example', 4, '2 h', null, '1 h', '{}', 2, 3])
    await rows(INSERT, ['blocked.example', 5, '1 s', null, null, '{}', 9, 12000])
    const { text, html } = await seeAs('viewer', db, schema)('/workers')
    const [living = '', ended = ''] = text.split(endedHeading)
    expect(living).toMatch(
      /5 blocked\.example 5 alive – none yet 9 blocked for 12 s 123 MB 45\.6 MB/,
    )
    expect(living).toContain(`3 ${HOSTILE} 3 silent – none yet – not known – not known`)
    expect(living).toMatch(
      /1 alive\.example 1 alive .*and 3 more 3 12 ms 123 MB 45\.6 MB .* UTC 30 s/,
    )
    expect(living.indexOf('blocked.example')).toBeLessThan(living.indexOf('alive.example'))
    expect(living).not.toMatch(/gone|dead\.example/)
    expect(ended).toMatch(/4 dead\.example 4 dead .*\n.*2 gone\.example 2 stopped /)
    expect(html).toContain('href="/queues/queue%201"')
  })

  test('that ended are read page by page', async ({ db, schema, rows }) => {
    for (const pid of [101, 102, 103]) {
      await rows(INSERT, ['gone', pid, '1 h', '1 h', null, '{}', 0, 1])
    }
    await rows(INSERT, ['here', 104, '1 s', null, null, '{}', 0, 1])
    const see = seeAs('viewer', db, schema)
    const first = await see('/workers?limit=2')
    expect(first.text).toMatch(/ 104 .* 103 .* 102 /s)
    expect(first.text).not.toContain(' 101 ')
    const [, next = ''] = /href="([^"]*)" rel="next"/.exec(first.html) ?? []
    const second = await see(next.replaceAll('&amp;', '&'))
    expect(second.text).toContain(' 101 ')
    expect(second.text).not.toMatch(/ 10[234] /)
    expect(second.html).toContain('<a href="/workers">First page</a>')
    expect((await see('/workers?ended=true')).status).toBe(400)
    const api = adminApi(db, schema)
    const pids = async (query: string): Promise<unknown> => {
      const { body } = await api('GET', `/api/workers${query}`)
      return (body as unknown as { workers: { pid: number }[] }).workers.map(({ pid }) => pid)
    }
    expect(await pids('')).toEqual([104, 103, 102, 101])
    expect(await pids('?ended=false')).toEqual([104])
    expect(await pids('?ended=true&limit=2')).toEqual([103, 102])
  })
})
