import {
  addUp,
  readDoings,
  readHoldings,
  readLastHours,
  type Doings,
  type Holdings,
  type LastHour,
} from '../../metrics/overview.ts'
import { surveyQueues, type SurveyedQueue } from '../../store/overview.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import { look, lookFreely, numberAt, type Call, type Parts, type Route } from '../route.ts'
import type { Schema } from '../schema.ts'
import { couldBeName } from './known-queue.ts'
import { answerOf, pageOf, pageParameters, ref } from './shapes.ts'

/** Of each queue of a page so many live jobs are counted. */
const SAMPLE = 500

/** The parameters of a list of queues, by a part of their names. */
export const overviewParameters: Readonly<Record<string, Schema>> = {
  name: {
    type: 'string',
    maxLength: 200,
    pattern: '^[^\\0]*$',
    description: 'What the names contain, in whatever case.',
  },
  ...pageParameters(100),
}

export const overviewRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/api/overview',
    id: 'getOverview',
    summary:
      'List the queues in the order of their names, with what is in them now and how the last hour was; and the totals ' +
      'of all.',
    role: 'viewer',
    query: overviewParameters,
    answer: withTotals(pageOf('queues', ref('QueueOverview'))),
    handle: async ({ parts, query }) => {
      const survey = await readSurvey(parts, query)
      const { queues, next } = survey
      const holdings = survey.holdings ?? (await readAllHoldings(parts))
      const totals = { ...holdings, ...(await readAllDoings(parts)) }
      const hours = await readHours(parts, queues)
      const shown = queues.map((queue) => showQueue(queue, hours.get(queue.id)))
      return { body: { totals, queues: shown, next } }
    },
  },
]

function withTotals(page: Schema): Schema {
  return answerOf({ totals: ref('Totals'), ...page.properties })
}

function showQueue({ id: _, ...queue }: SurveyedQueue, hour: LastHour | undefined): object {
  if (hour === undefined) return queue
  const { figures: lastHour, ...others } = hour
  return { ...queue, ...others, lastHour }
}

/** A page of queues, with what is in them now. */
export interface Survey {
  readonly queues: readonly SurveyedQueue[]
  readonly next: string | null
  /** What all queues together hold, where the page has all of them. */
  readonly holdings: Holdings | undefined
}

/** Reads a page of queues, with what is in them now. */
export async function readSurvey(parts: Parts, query: Call['query']): Promise<Survey> {
  const nameContains = (query['name'] as string | undefined) ?? ''
  const list = ['overview', nameContains]
  const afterName = readCursor(list, query['cursor'], couldBeName) ?? ''
  const limit = numberAt(query, 'limit', 50)
  const page = { afterName, limit: limit + 1, sample: SAMPLE, nameContains }
  const queues = await look(parts, (tx) => surveyQueues(parts.store, page, tx))
  const shown = queues.slice(0, limit)
  const last = queues.length > limit ? shown.at(-1) : undefined
  const isWhole = last === undefined && afterName === '' && nameContains === ''
  return {
    queues: shown,
    next: last === undefined ? null : writeCursor(list, last.name),
    holdings: isWhole ? addUp(shown, true) : undefined,
  }
}

/** How the last hour was for these queues, by their ids. */
export function readHours(
  parts: Parts,
  queues: readonly SurveyedQueue[],
): Promise<Map<number, LastHour>> {
  const ids = queues.map(({ id }) => id)
  return lookFreely(parts, (tx) => readLastHours(parts.store, ids, tx))
}

/** What all queues together hold now. */
export function readAllHoldings(parts: Parts): Promise<Holdings> {
  return look(parts, (tx) => readHoldings(parts.store, tx))
}

/** How all queues together did lately, and who works on them. */
export function readAllDoings(parts: Parts): Promise<Doings> {
  return lookFreely(parts, (tx) => readDoings(parts.store, tx))
}
