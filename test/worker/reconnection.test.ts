import { expect, test, until } from '../support/fixtures.ts'

test('after a reconnection a worker frees what it holds and does not know: its settles may be forgotten', async ({
  child,
  queue,
  rows,
  seen,
}) => {
  const worker = await child.receive({ leaseTimeout: '5s' })
  const { id } = await queue.enqueue({ do: 'return' }, { delay: '1h' })
  // As a failover to a standby that was behind leaves it: claimed, while whoever claimed it has settled it.
  await rows(`
    update {schema}.jobs
    set run_at = statement_timestamp(), attempt = 0, claim_no = 1000000,
      claimed_by = (select workers.id from {schema}.workers where workers.pid = ${worker.pid})
    where jobs.id = ${id}`)
  await until(
    async () => {
      const ended = await rows(`
        select pg_terminate_backend(pid) from pg_stat_activity
        where query like '%{schema}.workers%set beat = beat%' and pid <> pg_backend_pid()`)
      return ended.length > 0
    },
    { what: 'the end of the listening connection' },
  )
  const recovered = await seen('claim.recovered')
  expect(recovered).toMatchObject({ count: 1 })
  await until(async () => (await queue.get(id))?.status === 'finished', { what: 'its run' })
})
