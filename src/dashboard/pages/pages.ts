import { auditPage } from './audit.tsx'
import { overviewPage } from './overview.tsx'
import type { Page } from './page.ts'

/** Every page there is. */
export const PAGES: readonly Page[] = [overviewPage, auditPage]
