import { examine } from '../doctor/diagnose.ts'
import type { Finding } from '../doctor/finding.ts'
import { version } from '../version.ts'
import type { Visit } from './pages/page.ts'
import type { Parts } from './route.ts'

/** The doctor looks at most so often, for all pages. */
const LOOK_EVERY_MS = 30_000
/** What these say is true of the connection of this process alone, and not of those that work. */
const OF_THIS_CONNECTION = ['pooler', 'privileges']

/** A look of the doctor's. */
export interface Look {
  readonly at: Date
  /** What is wrong, the worst first; undefined: there was no answer. */
  readonly trouble: readonly Finding[] | undefined
}

/**
 * What the doctor found last, without waiting for it; undefined while it looks for the first time. What others ask the
 * database can hold what is nobody's business: it is told to an administrator, and not where anything is redacted.
 */
export function lookForTrouble({
  parts,
  actor,
  shared,
}: Pick<Visit, 'parts' | 'actor' | 'shared'>): Look | undefined {
  const hidesQueries = actor.role !== 'admin' || parts.redactor.isActive
  const key = hidesQueries ? 'trouble' : 'trouble with queries'
  return shared.lately(key, () => look(parts, hidesQueries), LOOK_EVERY_MS)
}

async function look({ store }: Parts, hidesQueries: boolean): Promise<Look> {
  const options = { version, hidesQueries, leaveOut: OF_THIS_CONNECTION }
  try {
    const findings = await examine(store, options)
    const ofLevel = (level: Finding['level']): Finding[] =>
      findings.filter((finding) => finding.level === level)
    return { at: new Date(), trouble: [...ofLevel('error'), ...ofLevel('warning')] }
  } catch {
    return { at: new Date(), trouble: undefined } // which is shown
  }
}
