import { suggestName } from '../core/suggest.ts'
import type { Querier } from '../querier.ts'
import { Failure } from './failure.ts'
import { printable } from './terminal/printable.ts'

/** Refuses the name of a queue that is not there, with the one that was probably meant. */
export async function requireQueue(querier: Querier, name: string): Promise<void> {
  const names = (await querier.queues()).map((queue) => queue.name)
  if (names.includes(name)) return
  const meant = suggestName(name, names)
  const hint = meant === undefined ? 'millrace queues lists them' : `did you mean ${meant}?`
  throw new Failure(printable(`There is no queue ${JSON.stringify(name)}: ${hint}`))
}
