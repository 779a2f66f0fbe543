import type { Figures, Reading } from './figures.ts'
import { METRICS } from '../results.ts'
import { formatCount, formatMetric, formatRatio } from './numbers.ts'
import { TARGETS, type Target } from './targets.ts'

/** A target, and what came of it. */
export interface Verdict {
  readonly target: Target
  readonly outcome: 'reached' | 'not reached' | 'not measured'
  readonly ours: Reading | undefined
  readonly theirs: Reading | undefined
  /** Of ours to theirs, or ours by itself where the bound is a number. */
  readonly measured: number | undefined
}

export function judgeTargets(figures: Figures, targets: readonly Target[] = TARGETS): Verdict[] {
  return targets.map((target) => judgeTarget(figures, target))
}

function judgeTarget(figures: Figures, target: Target): Verdict {
  const ours = target.ours(figures)
  const theirs = target.theirs?.(figures)
  const isMeasured = ours !== undefined && (target.theirs === undefined || theirs !== undefined)
  if (!isMeasured) return { target, outcome: 'not measured', ours, theirs, measured: undefined }
  const measured = ours.value / (theirs?.value ?? 1)
  const isReached = isWithin(measured, target) && !ours.isFlawed
  return { target, outcome: isReached ? 'reached' : 'not reached', ours, theirs, measured }
}

function isWithin(measured: number, { bound, limit }: Target): boolean {
  if (!Number.isFinite(measured)) return false
  if (bound === 'at least') return measured >= limit
  return bound === 'at most' ? measured <= limit : measured < limit
}

/** The target in words: `at least 3 × the best PostgreSQL peer`. */
export function describeBound({ bound, limit, against, metric }: Target): string {
  if (against === '') return `${bound} ${formatCount(limit)} ${METRICS[metric].title}`
  return bound === 'below' && limit === 1 ? `below ${against}` : `${bound} ${limit} × ${against}`
}

/** What was measured, as the bound is given: a ratio, or the number. */
export function describeMeasured({ target, measured }: Verdict): string {
  if (measured === undefined) return '–'
  return target.theirs === undefined ? formatMetric(measured, target.metric) : formatRatio(measured)
}

/** The two figures behind it, and whose the other one is; what is missing where one is. */
export function describeReadings({ target, ours, theirs }: Verdict, figures: Figures): string {
  const parts: string[] = []
  if (ours === undefined) parts.push('no figure of Millrace')
  else if (target.theirs !== undefined) parts.push(formatMetric(ours.value, target.metric))
  if (target.theirs !== undefined) {
    if (theirs === undefined) parts.push(`no figure of ${target.against}`)
    else parts.push(`${formatMetric(theirs.value, target.metric)} (${theirs.contender})`)
  }
  const against = parts.join(ours === undefined || theirs === undefined ? ', ' : ' against ')
  const flaw = ours?.isFlawed === true ? 'a run of Millrace had problems' : ''
  return [against, flaw, target.note?.(figures) ?? ''].filter((text) => text !== '').join('; ')
}
