import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import path from 'node:path'
import { Pool } from 'pg'
import type * as Millrace from '../../src/index.ts'
import { testFault } from './fault-test.ts'
import { LATEST_VERSION } from '../../src/migrations/all.ts'
import { buildNextRelease, workerOf } from './next-release.ts'

const MINUTES = 60_000

testFault(
  {
    title: 'The schema is migrated while workers of the release before run',
    promise:
      'They go on, beside workers of the next release, on the new schema; and after the way back both go on on the old one.',
    full: { jobs: 5_000, faults: 6 },
    short: { jobs: 200, faults: 2 },
  },
  async (stage, { jobs, faults }) => {
    const release = buildNextRelease()
    const url = pathToFileURL(path.join(release, 'dist/index.js')).href
    const next = (await import(url)) as typeof Millrace
    const db = new Pool({ connectionString: stage.databaseUrl, max: 1 })
    const { schema } = stage
    try {
      await stage.hire(2, { leaseTimeout: '10s' })
      const load = stage.load({ producers: 4, restMs: 2 })
      await stage.untilPromised(50, MINUTES)
      for (let fault = 0; fault < faults; fault += 2) {
        await stage.fault(() => next.migrateUp(db, { schema }))
        if (fault === 0) await stage.hire(1, { leaseTimeout: '10s', script: workerOf(release) })
        await sleep(1_000)
        await stage.fault(() => next.migrateDown(db, { schema, to: LATEST_VERSION }))
        await sleep(1_000)
      }
      await stage.untilPromised(jobs, 10 * MINUTES)
      await load()
      await stage.untilDone(5 * MINUTES)
    } finally {
      await db.end()
    }
  },
)
