import { auditPage } from './audit.tsx'
import { jobPage } from './job.tsx'
import { jobsPage } from './jobs.tsx'
import { overviewPage } from './overview.tsx'
import type { Page } from './page.ts'

/** Every page there is. */
export const PAGES: readonly Page[] = [overviewPage, jobsPage, jobPage, auditPage]
