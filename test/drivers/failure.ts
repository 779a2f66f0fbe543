/** The error of a promise that must reject. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('value' in outcome) throw new Error('It was to reject, and resolved.')
  if (outcome.error instanceof Error) return outcome.error
  throw new Error('It rejected with something that is no Error.')
}
