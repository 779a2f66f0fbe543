import { checkSignal, invalidOption, readOptions } from '../core/validate.ts'
import { LATEST_VERSION } from './all.ts'

/** Checks that `options` is a plain bag of known names, and reads each once. */
export function resolveOptions<Options extends object>(
  caller: string,
  options: Options | undefined,
  known: readonly (keyof Options & string)[],
): Partial<Options> {
  return readOptions(options, { of: caller, known }) as Partial<Options>
}

/** Checks a version that the caller names: an integer from 0 to the newest that we know. */
export function resolveVersion(option: string, value: unknown): number {
  const isVersion =
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LATEST_VERSION
  if (isVersion) return value
  throw invalidOption(option, value, `it takes an integer from 0 (nothing) to ${LATEST_VERSION}`)
}

/** Checks the `signal` option. */
export function resolveSignal(value: unknown): AbortSignal | undefined {
  return value === undefined ? undefined : checkSignal('signal', value)
}
