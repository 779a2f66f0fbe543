import { auditPage } from './audit.tsx'
import { jobPage } from './job.tsx'
import { jobsPage } from './jobs.tsx'
import { overviewPage } from './overview.tsx'
import type { Page } from './page.ts'
import { searchPage } from './search.tsx'
import { workersPage } from './workers.tsx'

/** Every page there is. */
export const PAGES: readonly Page[] = [
  overviewPage,
  workersPage,
  searchPage,
  jobsPage,
  jobPage,
  auditPage,
]
