import type { Cli } from '../cli.ts'

/** Time enough for what the module does at its end, and for the last lines of output. */
const END_WITHIN_MS = 1_000

/** Ends the process though a database that a module opened, or a handler that hears nothing, would keep it alive. */
export function endSoon(cli: Cli): void {
  setTimeout(() => process.exit(cli.exitCode), END_WITHIN_MS).unref()
}
