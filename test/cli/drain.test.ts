import { beforeAll, describe } from 'vitest'
import { expect, test } from '../support/fixtures.ts'
import { Millrace, millrace } from './millrace.ts'
import { makeProject, project as cwd } from './modules.ts'

beforeAll(makeProject)

describe('drain', () => {
  test('runs what is due and tells what became of it', async ({ schema, openQueue }) => {
    const queue = openQueue({ queueName: 'emails' })
    await queue.enqueueMany([
      { args: 1 },
      { args: 2 },
      { args: 'bad', maxRetries: 0 },
      { args: 'bad' },
      { args: 3, delay: '1h' },
    ])
    const { code, stdout } = await millrace(['drain', 'one.js'], { schema, cwd })
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'emails: 2 jobs finished, 1 failed, 1 to be retried\n',
    })
  })

  test('goes from queue to queue, within one limit', async ({ schema, openQueue }) => {
    for (const queueName of ['emails', 'thumbs']) {
      await openQueue({ queueName }).enqueueMany([{ args: 1 }, { args: 2 }])
    }
    const { code, stdout, stderr } = await millrace(['drain', 'two.js', '--limit', '3', '--json'], {
      schema,
      cwd,
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual([
      { queueName: 'emails', finished: 2, failed: 0, retried: 0 },
      { queueName: 'thumbs', finished: 1, failed: 0, retried: 0 },
    ])
  })

  test.for(['named.js', 'object.js', 'compiled.cjs', 'jobs'])(
    'takes %s',
    async (name, { schema, openQueue }) => {
      await openQueue({ queueName: 'emails' }).enqueue(1)
      const given = name === 'named.js' ? [] : ['-q', 'emails']
      const { code, stdout } = await millrace(['drain', name, ...given], { schema, cwd })
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: 'emails: 1 job finished, 0 failed, 0 to be retried\n',
      })
    },
  )

  test('stops at SIGTERM and says what it did', async ({ schema, openQueue }) => {
    await openQueue({ queueName: 'q' }).enqueueMany([{ args: 1 }, { args: 2 }])
    const given = ['-q', 'q', '-v', '--concurrency', '1']
    const doing = new Millrace(['drain', 'slow.js', ...given], { schema, cwd })
    await doing.says('Started job')
    const { code, stdout } = await doing.kill('SIGTERM')
    expect({ code, stdout }).toEqual({
      code: 143,
      stdout: 'q: 1 job finished, 0 failed, 0 to be retried\n',
    })
  })

  test('says that the database of a module is away', async ({ schema }) => {
    const ended = await millrace(['drain', 'one.js'], {
      schema,
      cwd,
      databaseUrl: 'postgres://u:of-secret@127.0.0.1:1/x',
    })
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toContain(
      'The queues of one.js cannot be worked on: connect ECONNREFUSED 127.0.0.1:1',
    )
    expect(ended.stderr).not.toContain('of-secret')
  })
})
