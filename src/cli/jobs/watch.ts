import { setTimeout as sleep } from 'node:timers/promises'
import { Option, type Command } from 'commander'
import { parseDuration, type Duration } from '../../core/duration.ts'
import { Querier } from '../../querier.ts'
import type { Cli } from '../cli.ts'
import { queueOption, readDuration, STATUSES } from '../command-parts.ts'
import { isHopeless } from '../../worker/outage.ts'
import { explain } from '../explain.ts'
import { requireQueue } from '../known-queue.ts'
import type { GlobalOptions } from '../place.ts'
import { QUEUE_COLUMNS, readQueues, showCounted, type QueueState } from '../queues.ts'
import { withTarget } from '../target.ts'
import { cutTo, printable } from '../terminal/printable.ts'
import { renderTable } from '../terminal/table.ts'
import { showInstant } from '../terminal/times.ts'

const MIN_INTERVAL_MS = 100
/** Looking takes at most a tenth of the time, however slow the database is. */
const REST_FOR_EACH_LOOK = 9

interface WatchOptions extends GlobalOptions {
  readonly queue?: string
  readonly interval: Duration
}

/** `millrace jobs watch` */
export function addWatch(jobs: Command, cli: Cli): void {
  jobs
    .command('watch')
    .summary('watch the queues until Ctrl-C')
    .description(
      'watch the queues until Ctrl-C: a live table, or elsewhere than on a terminal a line for each change',
    )
    .addOption(queueOption('only this queue (default: all)'))
    .addOption(
      new Option('-i, --interval <duration>', 'how long to wait between two looks')
        .argParser(readDuration)
        .default('1s'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, command: Command) => {
      await watch(command.optsWithGlobals<WatchOptions>(), cli)
    })
}

const EXAMPLES = `
Examples:
  $ millrace jobs watch
  $ millrace jobs watch --queue emails --interval 10s >> queue.log
  $ millrace jobs watch --json
`

async function watch(options: WatchOptions, cli: Cli): Promise<void> {
  const intervalMs = parseDuration(options.interval, 'interval', { min: MIN_INTERVAL_MS })
  const { stop } = cli
  await withTarget(options, cli, {}, async ({ db, schema, place }) => {
    const querier = new Querier(db, { schema })
    if (options.queue !== undefined) await requireQueue(querier, options.queue)
    const view = cli.out.isLive && !cli.isJson ? new LiveTable(cli) : new Changes(cli)
    let hasSeen = false
    while (!stop.aborted) {
      const lookedAt = performance.now()
      try {
        view.show(await readQueues(querier, { only: options.queue }))
        hasSeen = true
      } catch (error) {
        if (!hasSeen || isHopeless(error)) throw error
        view.miss(explain(error, place, schema)?.message ?? String(error))
      }
      const rest = Math.max(intervalMs, REST_FOR_EACH_LOOK * (performance.now() - lookedAt))
      await sleep(rest, undefined, { signal: stop }).catch(() => {}) // aborted: the loop ends
    }
  })
}

/** A table that is written over. */
class LiveTable {
  readonly #cli: Cli
  #height = 0
  #seen: readonly QueueState[] = []
  #seenAt = new Date()

  constructor(cli: Cli) {
    this.#cli = cli
  }

  show(states: readonly QueueState[]): void {
    this.#seen = states
    this.#seenAt = new Date()
    const { paint } = this.#cli.out
    this.#write(paint('quiet', `${showInstant(this.#seenAt)} · Ctrl-C ends`))
  }

  /** A look failed: what was seen before stays, with the reason. */
  miss(reason: string): void {
    const { paint, columns } = this.#cli.out
    const foot = `As of ${showInstant(this.#seenAt)} · ${reason}`
    this.#write(paint('bad', cutTo(foot, columns - 1)))
  }

  #write(foot: string): void {
    const { out } = this.#cli
    const { paint } = out
    const table = renderTable(QUEUE_COLUMNS, this.#seen, { width: out.columns - 1, paint })
    // What does not fit could not be written over.
    const lines = [...table.slice(0, Math.max(1, out.rows - 2)), foot]
    const up = this.#height === 0 ? '' : `\u001b[${this.#height}A`
    out.write(`${up}\r\u001b[J${lines.join('\n')}\n`)
    this.#height = lines.length
  }
}

/** A line for each queue that changed, and for each at the beginning. */
class Changes {
  readonly #cli: Cli
  readonly #shown = new Map<string, string>()
  #isMissing = false

  constructor(cli: Cli) {
    this.#cli = cli
  }

  /** A look failed: that is said once, and what is seen afterwards in whole. */
  miss(reason: string): void {
    this.#shown.clear()
    if (this.#isMissing) return
    this.#isMissing = true
    const at = new Date()
    if (this.#cli.isJson) this.#cli.jsonLine({ at, error: reason })
    else this.#cli.print(`${showInstant(at)}  ${reason}`)
  }

  show(states: readonly QueueState[]): void {
    this.#isMissing = false
    for (const state of states) {
      const counted = JSON.stringify(state.counts)
      if (this.#shown.get(state.name) === counted) continue
      this.#shown.set(state.name, counted)
      this.#say(state)
    }
  }

  #say(state: QueueState): void {
    const { name, counts, isExact, longestWaitMs } = state
    const at = new Date()
    if (this.#cli.isJson) {
      return this.#cli.jsonLine({ at, queue: name, counts, isExact, longestWaitMs })
    }
    const figures = STATUSES.map((status) => `${status} ${showCounted(counts[status], isExact)}`)
    this.#cli.print(`${showInstant(at)}  ${printable(name)}  ${figures.join('  ')}`)
  }
}
