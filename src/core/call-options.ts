import { checkLimit } from './receive-options.ts'
import { checkBoolean, readOptions } from './validate.ts'

/** The options of `counts`. */
export interface CountsOptions {
  /** Estimates by the planner's statistics, which costs the same for any size. @default false: exact */
  estimate?: boolean | undefined
}

/** The options of `redrive`. */
export interface RedriveOptions {
  /** How many jobs at most, the oldest first. From 1. @default none: all */
  limit?: number | undefined
}

/** Checks the options of `counts`. Throws `INVALID_OPTION`. */
export function resolveCountsOptions(options?: unknown): { readonly estimate: boolean } {
  const { estimate } = readOptions(options, { of: 'counts', known: ['estimate'] })
  return { estimate: estimate === undefined ? false : checkBoolean('estimate', estimate) }
}

/** Checks the options of `redrive`. Throws `INVALID_OPTION`. */
export function resolveRedriveOptions(options?: unknown): { readonly limit: number | undefined } {
  const { limit } = readOptions(options, { of: 'redrive', known: ['limit'] })
  return { limit: limit === undefined ? undefined : checkLimit(limit) }
}
