import type { JobStatus } from '../../core/job.ts'
import type { ListIdsOptions } from '../../list-options.ts'
import type { Querier } from '../../querier.ts'
import type { Cli } from '../cli.ts'
import { requireQueue } from '../known-queue.ts'
import { showNumber } from '../terminal/words.ts'
import type { Deed, SteerOptions, Tally } from './deed.ts'

const PAGE = 10_000
/** So many jobs are changed by one statement: few enough that each is short. */
const AT_ONCE = 500

/** The jobs of a queue in a status, page by page. */
interface Match {
  readonly queue: string
  readonly filter: ListIdsOptions & { readonly status: JobStatus }
}

/** Without a filter it would be all jobs of all queues, which nobody means. */
export function hasFilter({ queue, status, olderThan, newerThan, error }: SteerOptions): boolean {
  return [queue, status, olderThan, newerThan, error].some((filter) => filter !== undefined)
}

/** Where the jobs are that the filters choose. */
export async function matches(
  querier: Querier,
  { byDefault }: Deed,
  options: SteerOptions,
): Promise<Match[]> {
  const { queue, status, olderThan, newerThan, error } = options
  if (queue !== undefined) await requireQueue(querier, queue)
  const all = queue === undefined ? (await querier.queues()).map(({ name }) => name) : [queue]
  const statuses = status === undefined ? byDefault : [status]
  return all.flatMap((name) =>
    statuses.map((status) => ({
      queue: name,
      filter: { status, olderThan, newerThan, errorText: error },
    })),
  )
}

/** How many jobs that are, up to the limit. */
export async function countMatches(
  querier: Querier,
  wanted: readonly Match[],
  { limit = Infinity }: SteerOptions,
): Promise<number> {
  let count = 0
  for await (const { ids } of pages(querier, wanted)) {
    count += ids.length
    if (count >= limit) return limit
  }
  return count
}

/** Does it to the first `count` of them, until the signal to stop. */
export async function steerMatches(
  querier: Querier,
  deed: Deed,
  wanted: readonly Match[],
  count: number,
  tally: Tally,
  cli: Cli,
): Promise<void> {
  const progress = cli.progress()
  try {
    let seen = 0
    for await (const { match, ids } of pages(querier, wanted)) {
      const chosen = ids.slice(0, count - seen)
      for (let at = 0; at < chosen.length && !cli.stop.aborted; at += AT_ONCE) {
        await steerSome(querier, deed, match, chosen.slice(at, at + AT_ONCE), tally)
        const done = seen + at
        if (!cli.isJson)
          progress.show(`${showNumber(done)} of ${showNumber(count)} jobs`, done / count)
      }
      seen += chosen.length
      if (seen >= count || cli.stop.aborted) return
    }
  } finally {
    progress.end()
  }
}

/** What changed since it was listed (a worker took it) is refused, which is no error here. */
async function steerSome(
  querier: Querier,
  { actOnMany }: Deed,
  { queue, filter }: Match,
  ids: string[],
  tally: Tally,
): Promise<void> {
  const done = new Set(await actOnMany(querier, queue, ids))
  tally.done += done.size
  for (const id of ids) {
    if (!done.has(id)) tally.refused.push({ id, reason: `is no longer ${filter.status}` })
  }
}

async function* pages(
  querier: Querier,
  wanted: readonly Match[],
): AsyncGenerator<{ match: Match; ids: string[] }> {
  for (const match of wanted) {
    let after: string | undefined
    do {
      const ids = await querier.listIds(match.queue, { ...match.filter, after, limit: PAGE })
      if (ids.length > 0) yield { match, ids }
      after = ids.length === PAGE ? ids.at(-1) : undefined
    } while (after !== undefined)
  }
}
