import { showNumber } from '../core/show.ts'
import { showCount, showTime } from '../core/words.ts'
import { dropSlot, endSession, rollBackPrepared } from './commands.ts'
import { skipped, warning, withCommands, type Observation } from './finding.ts'
import type { PreparedTransaction, Session, Slot } from './holders.ts'
import type { Limits } from './limits.ts'
import { showQuery } from './query-text.ts'
import { grantToSeeSessions } from './rights.ts'
import type { Server } from './subject.ts'

/* What is to be said of those who hold back vacuum. */

/** Sessions that have held for long, and those of which only somebody with more rights could know. */
export function observeSessions(
  sessions: readonly Session[],
  server: Server,
  limits: Limits,
): Observation[] {
  const observations = sessions
    .filter((session) => isLong(session, limits))
    .map((session) => sessionOf(session))
  const unseen = sessions.filter((session) => isUnseen(session) && !isLong(session, limits))
  if (unseen.length === 0 || server.seesAllSessions) return observations
  const message = `${showCount(unseen.length, 'session')} of other roles ${unseen.length === 1 ? 'holds' : 'hold'} a snapshot, and ${server.quotedUser} is not shown since when.`
  return [...observations, skipped(message, grantToSeeSessions(server))]
}

function isUnseen({ openForMs, kind }: Session): boolean {
  return openForMs === null && kind === null
}

function isLong({ openForMs, transactions }: Session, limits: Limits): boolean {
  if (openForMs !== null && Number(openForMs) >= limits.snapshotMs) return true
  return openForMs === null && transactions >= limits.snapshotTransactions
}

function sessionOf(session: Session): Observation {
  const { processId, openForMs, transactions, query, kind } = session
  const details = {
    ...session,
    query: query === null ? null : showQuery(query),
    openForMs: openForMs === null ? null : Number(openForMs),
  }
  const howLong =
    openForMs === null
      ? `over ${showNumber(transactions)} transactions`
      : `for ${showTime(Number(openForMs))}`
  if (kind === 'walsender') {
    const message = `${nameOf(session)} has held a snapshot ${howLong} for a standby, by its hot_standby_feedback.`
    return warning(message, STANDBY_REMEDY, details)
  }
  const message = `${nameOf(session)} has held a snapshot ${howLong}${doing(session)}: vacuum cannot remove what was worked off since.`
  return warning(message, endRemedy(processId), details)
}

const STANDBY_REMEDY =
  'End the long query on that standby, or set hot_standby_feedback to off there; then its long queries may be cancelled.'

function endRemedy(processId: number): string {
  return withCommands(
    'End it if nobody needs it; idle_in_transaction_session_timeout ends such transactions by itself:',
    endSession(processId),
  )
}

/** `Process 4711 (ada, psql, 10.0.0.3)` */
function nameOf({ processId, user, application, address }: Session): string {
  const known = [user, application, address].filter((fact) => fact !== null && fact !== '')
  return `Process ${processId}${known.length === 0 ? '' : ` (${known.join(', ')})`}`
}

function doing({ state, query }: Session): string {
  const shown = query === null ? '' : showQuery(query)
  return state === null || shown === '' ? '' : ` (${state}, its query: ${shown})`
}

/** Prepared transactions that nobody has ended for long. */
export function observePrepared(
  prepared: readonly PreparedTransaction[],
  limits: Limits,
): Observation[] {
  return prepared
    .filter(({ openForMs }) => Number(openForMs) >= limits.snapshotMs)
    .map(({ name, owner, openForMs, transactions }) => {
      const ms = Number(openForMs)
      const message = `The prepared transaction ${JSON.stringify(name)} of ${owner} has waited for ${showTime(ms)}: vacuum cannot remove what was worked off since.`
      const remedy = withCommands(
        'Ask who prepared it, then end it in this database:',
        rollBackPrepared(name),
      )
      return warning(message, remedy, { name, owner, openForMs: ms, transactions })
    })
}

/** Replication slots that lag far behind. */
export function observeSlots(slots: readonly Slot[], limits: Limits): Observation[] {
  return slots
    .filter(({ transactions }) => transactions >= limits.snapshotTransactions)
    .map((slot) => {
      const { name, isActive, transactions } = slot
      const state = isActive ? 'in use' : 'that nobody uses'
      const message = `The replication slot ${JSON.stringify(name)}, ${state}, holds back vacuum over ${showNumber(transactions)} transactions.`
      if (isActive) return warning(message, STANDBY_REMEDY, { ...slot })
      const drop = withCommands('If its standby is gone for good, drop it:', dropSlot(name))
      return warning(message, drop, { ...slot })
    })
}
