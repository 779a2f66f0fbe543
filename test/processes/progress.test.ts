import { Querier } from '../../src/querier.ts'
import { expect, test, until, type JobScript } from '../support/fixtures.ts'

const script = (args: JobScript): JobScript => args

test('what a run says in one process is read in another while it runs, and stays when that is killed', async ({
  queue,
  db,
  schema,
  child,
}) => {
  const job = await queue.enqueue(
    script({ do: 'report', result: { percent: 40 }, message: 'almost half' }),
  )
  const doomed = await child.receive({ leaseTimeout: '1s' })
  const running = await until(async () => {
    const record = await queue.get(job.id)
    return record?.progress === undefined ? undefined : record
  })
  expect(running).toMatchObject({ status: 'running', progress: { percent: 40 } })
  const lines = await until(async () => {
    const read = await new Querier(db, { schema }).logs('default', job.id)
    return read.length > 0 && read
  })
  expect(lines).toMatchObject([
    { number: 1, attempt: 1, message: 'almost half', fields: { pid: doomed.pid } },
  ])

  doomed.kill('SIGKILL')
  await doomed.exited
  expect(await queue.get(job.id)).toMatchObject({ progress: { percent: 40 } })
  const heir = await child.receive({ leaseTimeout: '1s' })
  await heir.untilRuns(job.id)
  await heir.release()
  await until(async () => (await queue.get(job.id))?.status === 'finished')
  const all = await queue.logs(job.id)
  expect(all.map(({ number, fields }) => [number, fields?.['pid']])).toEqual([
    [1, doomed.pid],
    [2, heir.pid],
  ])
})
