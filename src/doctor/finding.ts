/** How a finding stands. `skipped`: it could not be looked at, and nothing is known. */
export type Level = 'ok' | 'warning' | 'error' | 'skipped'

/** What a check has seen. */
export interface Observation {
  readonly level: Level
  /** What is so, in a sentence. Names in it come from others. */
  readonly message: string
  /** What to do: a sentence, and below it, each in a line of its own, the commands that do it. */
  readonly remedy?: string
  /** The facts behind the message, for machines. */
  readonly details?: Details
}

/** Facts that JSON carries. */
export type Details = Readonly<Record<string, unknown>>

/** What a check has seen, with the check's name. */
export interface Finding extends Observation {
  readonly check: string
}

export function ok(message: string, details?: Details): Observation {
  return { level: 'ok', message, ...(details && { details }) }
}

export function warning(message: string, remedy: string, details?: Details): Observation {
  return { level: 'warning', message, remedy, ...(details && { details }) }
}

export function failure(message: string, remedy: string, details?: Details): Observation {
  return { level: 'error', message, remedy, ...(details && { details }) }
}

export function skipped(message: string, remedy?: string): Observation {
  return { level: 'skipped', message, ...(remedy !== undefined && { remedy }) }
}

/** A sentence, and the commands below it. */
export function withCommands(sentence: string, ...commands: readonly string[]): string {
  return [sentence, ...commands].join('\n')
}
