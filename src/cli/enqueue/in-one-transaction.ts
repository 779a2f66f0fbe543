import { MillraceError } from '../../core/errors.ts'
import type { Database } from '../../drivers/database.ts'
import type { DBTX } from '../../drivers/driver.ts'
import { driverFor } from '../../drivers/recognise.ts'
import type { Standing } from './report.ts'

/** Not an error: the way to tell a transaction that it shall not be. */
class RolledBack extends Error {
  readonly standing: Standing

  constructor(standing: Standing) {
    super('An all-or-none import was given up.')
    this.standing = standing
  }
}

/** Runs an import in one transaction, which commits when everything went in. */
export async function inOneTransaction(
  db: Database,
  work: (tx: DBTX) => Promise<Standing>,
): Promise<Standing> {
  const driver = driverFor(db)
  let whole: Standing | undefined
  try {
    return await driver.transaction(async (tx) => {
      const standing = await work(tx)
      if (!standing.isDone || standing.refused > 0) throw new RolledBack(standing)
      whole = standing
      return standing
    })
  } catch (error) {
    if (error instanceof RolledBack) return { ...error.standing, unknown: undefined }
    if (whole === undefined) throw error
    const failure = { error: driver.outcomeIsUnknown(error) ? lostCommit(error) : error }
    const isUnknown = failure.error !== error
    const { fromLine, nextLine, jobs } = whole
    const unknown = isUnknown ? { from: fromLine, to: nextLine - 1, jobs } : undefined
    return { ...whole, isDone: false, failure, unknown }
  }
}

function lostCommit(cause: unknown): MillraceError {
  return new MillraceError('OUTCOME_UNKNOWN', {}, { cause })
}
