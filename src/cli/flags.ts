import { MillraceError } from '../core/errors.ts'
import { usageFailure } from './failure.ts'
import { printable } from './terminal/printable.ts'

/** Carries out a check of options by the library; what it says about `maxRetries` is said about `--max-retries`. */
export function checkFlags<T>(
  check: () => T,
  /** What is no flag has another name. */
  names: Readonly<Record<string, string>> = {},
): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'INVALID_OPTION') throw error
    const sentence = error.message.replace(
      /The option "(\w+)([^"]*)"/,
      (_whole, name: string, place: string) => `${names[name] ?? `--${flagOf(name)}`}${place}`,
    )
    throw usageFailure(printable(sentence), error)
  }
}

/** The number that a text is; otherwise the text, for the library to refuse by name. */
export function numberOrText(text: string): number | string {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

function flagOf(option: string): string {
  return option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
