import { resolveSchema } from '../core/identifiers.ts'
import type { Database } from '../drivers/database.ts'
import { driverFor } from '../drivers/recognise.ts'
import { readClock } from '../store/poll.ts'
import { readOnly } from '../store/read-only.ts'
import { sqlState, Store } from '../store/store.ts'
import type { Check } from './check.ts'
import { CHECKS } from './checks.ts'
import { skipped, warning, type Finding, type Observation } from './finding.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { grantToLook, isRefused } from './rights.ts'
import { readServer, readStanding, type Standing, type Subject } from './subject.ts'

const QUERY_CANCELED = '57014'
const LOCK_NOT_AVAILABLE = '55P03'

/** How it is looked. */
export interface ExamineOptions {
  /** The release of Millrace that looks. */
  readonly version: string
  /** The role whose rights are looked at. @default the role of the connection */
  readonly role?: string | undefined
  /** From where on something is worth a warning. @default DEFAULT_LIMITS */
  readonly limits?: Partial<Limits> | undefined
  /** Checks that are left out, by their names. @default none */
  readonly leaveOut?: readonly string[] | undefined
  /** Whether nothing is told of what others ask the database, for those who may not know it. @default false */
  readonly hidesQueries?: boolean
}

/** What is looked at, and how. */
export interface DiagnoseOptions extends ExamineOptions {
  /** The schema with Millrace's tables. @default 'millrace' */
  readonly schema?: string | undefined
}

/**
 * Looks at everything around a schema that can keep jobs from being run, one thing after the other, and says what to
 * do. It changes nothing. A check that fails is a finding like any other; only a lost connection rejects.
 */
export async function diagnose(database: Database, options: DiagnoseOptions): Promise<Finding[]> {
  return examine(new Store(driverFor(database), resolveSchema(options.schema)), options)
}

/** As `diagnose`, on a database and schema that are at hand already. */
export async function examine(store: Store, options: ExamineOptions): Promise<Finding[]> {
  const { version, leaveOut = [], hidesQueries } = options
  const { server, role } = await readServer(store, options.role)
  const standing = await readStanding(store)
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const subject = { store, server, role, standing, limits, version, hidesQueries }
  const findings: Finding[] = []
  for (const check of CHECKS.filter(({ name }) => !leaveOut.includes(name))) {
    const observations = await observe(check, subject)
    findings.push(...observations.map((observation) => ({ check: check.name, ...observation })))
  }
  return findings
}

async function observe(check: Check, subject: Subject): Promise<Observation[]> {
  const reason = whySkipped(check, subject)
  if (reason !== undefined) return [skipped(reason)]
  try {
    return await check.run(subject)
  } catch (error) {
    return [await explainFailure(error, subject)]
  }
}

function whySkipped(check: Check, { store, standing }: Subject): string | undefined {
  const isEmbedded = store.driver.isSingleSession
  if (isEmbedded && check.notEmbedded !== undefined) return check.notEmbedded
  return check.readsTables === true ? whyUnreadable(standing) : undefined
}

function whyUnreadable({ kind }: Standing): string | undefined {
  switch (kind) {
    case 'usable':
      return undefined
    case 'missing':
      return 'The schema is not there.'
    case 'outdated':
    case 'too new':
      return `The schema is ${kind} for this release.`
    case 'unknown':
      return 'The version of the schema could not be read.'
  }
}

/** A look of its own that fails says little about the database; whether there is one is asked once more. */
async function explainFailure(error: unknown, { store, server }: Subject): Promise<Observation> {
  if (store.driver.isConnectionError(error)) await readOnly(store, (tx) => readClock(store, tx))
  const said = error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
  if (isRefused(error)) {
    return skipped(`${server.quotedUser} may not look at it: ${said}.`, grantToLook(server))
  }
  switch (sqlState(error) ?? '') {
    case QUERY_CANCELED:
      return warning('It took longer than 5 s to look, and was given up.', AGAIN)
    case LOCK_NOT_AVAILABLE:
      return warning('Somebody held a lock on it for longer than 1 s.', AGAIN)
    default:
      return warning(`It could not be looked at: ${said}.`, AGAIN)
  }
}

const AGAIN = 'Try again in a quiet moment. What else was found does not depend on it.'
