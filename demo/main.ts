import { openDatabase } from './database.ts'
import { explain, withoutPassword } from './explain.ts'
import { indexFolder } from './index-folder.ts'
import { readOptions, USAGE, type Options } from './options.ts'
import { Problem } from './problem.ts'
import { makeTables } from './tables.ts'

/** npm passes Ctrl-C on to us, who have had it from the terminal already: only a later one is a second one. */
const SAME_CTRL_C_MS = 1_000

process.exitCode = await main()

async function main(): Promise<number> {
  process.stdout.on('error', () => process.exit(1)) // nobody reads any more, as in `npm run demo | head`
  let options: Options
  try {
    options = readOptions(process.argv.slice(2), process.env)
  } catch (error) {
    return fail(error instanceof Problem ? error.message : String(error))
  }
  try {
    await carryOut(options)
    return 0
  } catch (error) {
    const inWords = explain(error, options.place)
    const text =
      inWords ?? (error instanceof Error ? (error.stack ?? error.message) : String(error))
    return fail(withoutPassword(text, options.place))
  }
}

async function carryOut(options: Options): Promise<void> {
  if (options.task === 'help') process.stdout.write(USAGE)
  else if (options.task === 'sql') await ask(options)
  else await indexFolder(options, process.stdout, stopOnSignal())
}

/** Shows what the database answers. */
async function ask({ place, sql }: Options): Promise<void> {
  const db = await openDatabase(place)
  try {
    await makeTables(db)
    const { rows } = await db.query(sql).catch((error: unknown) => {
      throw new Problem(
        `The database says: ${error instanceof Error ? error.message : String(error)}.`,
      )
    })
    console.table(rows)
  } finally {
    await db.close()
  }
}

/** Aborts at Ctrl-C, upon which everything ends in good order; a second Ctrl-C ends it at once. */
function stopOnSignal(): AbortSignal {
  const stop = new AbortController()
  let stoppedAt = 0
  const end = (): void => {
    if (stop.signal.aborted && performance.now() - stoppedAt > SAME_CTRL_C_MS) process.exit(130)
    if (!stop.signal.aborted) stoppedAt = performance.now()
    stop.abort()
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  return stop.signal
}

function fail(sentence: string): number {
  process.stderr.write(`${sentence}\n`)
  return 1
}
