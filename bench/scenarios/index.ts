import type { Scenario } from '../harness/scenario.ts'
import { bulkEnqueue } from './bulk-enqueue.ts'
import { deepHistory, depths } from './depth.ts'
import {
  drainAtDefaults,
  drainKept,
  drainKeptByTwo,
  drainNotKept,
  drainNotKeptByTwo,
  handlersOf5Ms,
} from './drain.ts'
import { enqueueBy50Callers, enqueueOneByOne } from './enqueue.ts'
import { enqueueWhileBusy, enqueueWhileIdle } from './enqueue-in-transactions.ts'
import { heldSnapshot } from './held-snapshot.ts'
import { idle } from './idle.ts'
import { latencyOtherProcess, latencySameProcess } from './latency.ts'
import { fifo, priorities, retries } from './special-drains.ts'
import { startUp } from './start-up.ts'
import { steadyAtSameRate, steadyBulk, steadyBy50Callers } from './steady.ts'

/** Every scenario, in the order in which they are run. */
export const ALL_SCENARIOS: readonly Scenario[] = [
  enqueueOneByOne,
  enqueueBy50Callers,
  enqueueWhileBusy,
  enqueueWhileIdle,
  bulkEnqueue,
  drainKept,
  drainNotKept,
  drainKeptByTwo,
  drainNotKeptByTwo,
  drainAtDefaults,
  handlersOf5Ms,
  latencySameProcess,
  latencyOtherProcess,
  steadyBulk,
  steadyBy50Callers,
  steadyAtSameRate,
  ...depths,
  deepHistory,
  heldSnapshot,
  fifo,
  retries,
  priorities,
  startUp,
  idle,
]
