import { showCount } from '../core/words.ts'
import { countSuspects } from '../store/examination.ts'
import { readOnly } from '../store/read-only.ts'
import type { Check } from './check.ts'
import { ok, warning } from './finding.ts'

/** Whether jobs wait to be run alone because their process died while they ran. */
export const suspects: Check = {
  name: 'suspects',
  group: 'Queues',
  readsTables: true,
  async run({ store }) {
    const counts = await readOnly(store, (tx) => countSuspects(store, tx))
    if (counts.length === 0) return [ok('No job waits to be run alone.')]
    const sum = counts.reduce((total, { count }) => total + count, 0)
    const where = counts.map(({ queueName, count }) => `${JSON.stringify(queueName)} (${count})`)
    const message = `${showCount(sum, 'job')} ran while their process died, and wait to be run alone: ${where.join(', ')}.`
    const remedy =
      'Nothing has to be done if workers run: each is run alone in a quiet moment, and the one that kills its process fails ' +
      'after its retries, as WorkerCrashed. If the number stays, no process receives the queue or none is ever quiet.'
    return [warning(message, remedy, { queues: counts })]
  },
}
