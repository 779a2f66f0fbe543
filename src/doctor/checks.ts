import { autovacuum } from './autovacuum.ts'
import { bloat } from './bloat.ts'
import type { Check } from './check.ts'
import { clock } from './clock.ts'
import { connection } from './connection.ts'
import { drift } from './drift.ts'
import { history } from './history.ts'
import { pooler } from './pooler.ts'
import { privileges } from './privileges.ts'
import { queues } from './queues.ts'
import { snapshots } from './snapshots.ts'
import { suspects } from './suspects.ts'
import { versions } from './versions.ts'
import { workers } from './workers.ts'
import { wraparound } from './wraparound.ts'

/** Everything that is looked at, in the order in which it is. */
export const CHECKS: readonly Check[] = [
  connection,
  pooler,
  clock,
  versions,
  drift,
  privileges,
  history,
  queues,
  workers,
  suspects,
  autovacuum,
  snapshots,
  bloat,
  wraparound,
]
