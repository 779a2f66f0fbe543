import type { Scenario } from '../harness/scenario.ts'
import { bulkEnqueue } from './bulk-enqueue.ts'
import {
  drainAtDefaults,
  drainKept,
  drainKeptByTwo,
  drainNotKept,
  drainNotKeptByTwo,
  handlersOf5Ms,
} from './drain.ts'

/** Every scenario, in the order in which they are run. */
export const ALL_SCENARIOS: readonly Scenario[] = [
  bulkEnqueue,
  drainKept,
  drainNotKept,
  drainKeptByTwo,
  drainNotKeptByTwo,
  drainAtDefaults,
  handlersOf5Ms,
]
