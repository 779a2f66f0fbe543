import type { Route } from '../route.ts'
import { auditRoutes } from './audit.ts'
import { jobRoutes } from './jobs.ts'
import { queueRoutes } from './queues.ts'
import { steeringRoutes } from './steering.ts'
import { workerRoutes } from './workers.ts'

/** Every address of the JSON API: what is here is served, documented and tested. */
export const ROUTES: readonly Route[] = [
  ...queueRoutes,
  ...jobRoutes,
  ...steeringRoutes,
  ...workerRoutes,
  ...auditRoutes,
]
