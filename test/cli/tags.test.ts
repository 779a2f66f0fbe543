import { expect, test } from '../support/fixtures.ts'
import { json, stock } from './arrange.ts'
import { millrace } from './millrace.ts'

test('a job is enqueued with tags', async ({ schema, rows }) => {
  const ended = await millrace(['enqueue', 'emails', '1', '--tag', 'a', '--tag', 'b c'], {
    schema,
  })
  expect(ended.code).toBe(0)
  expect(await rows('select tags from {schema}.jobs')).toEqual([{ tags: ['a', 'b c'] }])
  const many = await millrace(['enqueue', 'emails', '-', '--envelope', '--tag', 'all'], {
    schema,
    input: '{"args":2}\n{"args":3,"tags":["own"]}\n',
  })
  expect(many.code).toBe(0)
  expect(await rows('select tags from {schema}.jobs order by id offset 1')).toEqual([
    { tags: ['all'] },
    { tags: ['own'] },
  ])
})

test('jobs are found by their tags, which are shown and changed', async ({
  openQueue,
  queue,
  schema,
}) => {
  await stock(openQueue)
  const { id } = await queue.enqueue(1, { tags: ['import', 'customer:7'] })
  const listed = async (...args: string[]): Promise<string[]> => {
    const { jobs } = (await json(['jobs', 'list', ...args], { schema })) as {
      jobs: { id: string }[]
    }
    return jobs.map((job) => job.id)
  }
  expect(await listed('--tag', 'customer:7')).toEqual([id])
  expect(await listed('--tag', 'import', '--tag', 'customer:7')).toEqual([id])
  expect(await listed('--tag', 'import', '--tag', 'customer:8')).toEqual([])
  const shown = await millrace(['jobs', 'show', id], { schema })
  expect(shown.stdout).toContain('  tags    import, customer:7\n')
  const twice = await millrace(['jobs', 'list', '--tag', 'a', '--tag', 'a'], { schema })
  expect(twice.code).toBe(2)
  expect(twice.stderr).toContain('It takes a tag of 1 to 100 characters')
  const edited = await json(['jobs', 'edit', id, '--tag', 'other'], { schema })
  expect(edited).toMatchObject({ tags: ['other'] })
  const cancelled = await json(['jobs', 'cancel', '--tag', 'other', '--yes'], { schema })
  expect(cancelled).toMatchObject({ done: 1 })
})
