import type { Route } from '../route.ts'
import { auditRoutes } from './audit.ts'
import { jobRoutes } from './jobs.ts'
import { logRoutes } from './logs.ts'
import { pausingRoutes } from './pausing.ts'
import { overviewRoutes } from './overview.ts'
import { queueRoutes } from './queues.ts'
import { statisticsRoutes } from './statistics.ts'
import { steeringRoutes } from './steering.ts'
import { workerRoutes } from './workers.ts'

/** Every address of the JSON API: what is here is served, documented and tested. */
export const ROUTES: readonly Route[] = [
  ...overviewRoutes,
  ...queueRoutes,
  ...pausingRoutes,
  ...jobRoutes,
  ...logRoutes,
  ...steeringRoutes,
  ...statisticsRoutes,
  ...workerRoutes,
  ...auditRoutes,
]
