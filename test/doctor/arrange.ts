import type { Database } from '../../src/drivers/database.ts'
import { diagnose, type DiagnoseOptions } from '../../src/doctor/diagnose.ts'
import type { Finding } from '../../src/doctor/finding.ts'

/** What one check finds in a schema. */
export async function findingsOf(
  check: string,
  db: unknown,
  options: Partial<DiagnoseOptions> & { schema: string },
): Promise<Finding[]> {
  const findings = await diagnose(db as Database, { version: '0.1.0', ...options })
  return findings.filter((finding) => finding.check === check)
}

/** The one finding of a check that says this. */
export async function findingThat(
  says: string | RegExp,
  ...[check, db, options]: Parameters<typeof findingsOf>
): Promise<Finding> {
  const findings = await findingsOf(check, db, options)
  const found = findings.filter(({ message }) =>
    typeof says === 'string' ? message.includes(says) : says.test(message),
  )
  const [first] = found
  if (first !== undefined && found.length === 1) return first
  const told = findings.map(({ level, message }) => `${level}: ${message}`).join('\n')
  throw new Error(`${found.length} findings of ${check} say "${says}":\n${told}`)
}

/** The commands that a finding tells to run, without the sentence above them. */
export function commandsOf({ remedy = '' }: Finding): string[] {
  return remedy.split('\n').slice(1)
}

/** The levels of findings, each once. */
export function levelsOf(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ level }) => level))].sort()
}
