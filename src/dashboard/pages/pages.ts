import { anyJobsPage } from './any-jobs.tsx'
import { auditPage } from './audit.tsx'
import { deadLettersPage } from './dead-letters.tsx'
import { jobPage } from './job.tsx'
import { jobsPage } from './jobs.tsx'
import { overviewPage } from './overview.tsx'
import type { Page } from './page.ts'
import { queuePage } from './queue.tsx'
import { searchPage } from './search.tsx'
import { workersPage } from './workers.tsx'

/** Every page there is. */
export const PAGES: readonly Page[] = [
  overviewPage,
  queuePage,
  anyJobsPage,
  jobsPage,
  jobPage,
  deadLettersPage,
  workersPage,
  searchPage,
  auditPage,
]
