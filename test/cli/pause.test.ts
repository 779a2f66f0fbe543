import { describe } from 'vitest'
import { expect, test } from '../support/fixtures.ts'
import { json, stock } from './arrange.ts'
import { millrace } from './millrace.ts'

describe('millrace queues pause and resume', () => {
  test('pause a queue for everybody, say who and why, and resume it', async ({
    openQueue,
    schema,
  }) => {
    await stock(openQueue)
    const by = ['--by', 'ada', '--reason', 'the provider\nis down']
    const paused = await millrace(['queues', 'pause', 'emails', ...by], { schema })
    expect(paused).toMatchObject({ code: 0, stdout: 'emails is paused.\n', stderr: '' })
    const again = await millrace(['queues', 'pause', 'emails'], { schema })
    expect(again).toMatchObject({ code: 0, stdout: 'emails was paused already.\n' })

    const listed = await millrace(['queues'], { schema })
    expect(listed.stdout).toMatch(/^emails +concurrent, paused /m)
    expect(listed.stderr).toMatch(/^emails was paused at \S+.* by ada: the provider·is down\n$/)
    const { queues } = (await json(['queues'], { schema })) as { queues: object[] }
    expect(queues[0]).toMatchObject({ paused: { by: 'ada', reason: 'the provider\nis down' } })

    const resumed = await json(['queues', 'resume', 'emails'], { schema })
    expect(resumed).toEqual({ action: 'resume', queue: 'emails', isChanged: true })
    expect(await json(['queues', 'resume', 'emails'], { schema })).toMatchObject({
      isChanged: false,
    })
    expect((await millrace(['queues'], { schema })).stderr).toBe('')
  })

  test('refuse a queue that is not there, and a note that says nothing', async ({
    openQueue,
    schema,
  }) => {
    await stock(openQueue)
    const missing = await millrace(['queues', 'pause', 'emials'], { schema })
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    expect(missing.stderr).toContain('did you mean emails?')
    const empty = await millrace(['queues', 'pause', 'emails', '--reason', ''], { schema })
    expect(empty).toMatchObject({ code: 2, stdout: '' })
    expect(empty.stderr).toContain('--reason cannot be ""; it takes a text of 1 to 1,000')
    const { queues } = (await json(['queues'], { schema })) as { queues: object[] }
    expect(queues[0]).toMatchObject({ name: 'emails', paused: null })
  })
})
