import type { Payload } from '../contender.ts'

/** Every fifth job of the scenario with retries fails once. */
export const FAILS_EVERY = 5

/** The payload of job `n`: about 90 bytes of JSON. */
export function payload(n: number): Payload {
  return { n, text: `Send invoice ${n} to customer ${n % 997}, who asked for it by mail` }
}

/** The payloads of `count` jobs from `from` on. */
export function payloads(from: number, count: number): Payload[] {
  return Array.from({ length: count }, (_, index) => payload(from + index))
}
