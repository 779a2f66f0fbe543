import { auditPage } from './audit.tsx'
import { deadLettersPage } from './dead-letters.tsx'
import { overviewPage } from './overview.tsx'
import type { Page } from './page.ts'
import { queuePage } from './queue.tsx'

/** Every page there is. */
export const PAGES: readonly Page[] = [overviewPage, queuePage, deadLettersPage, auditPage]
