import { invalidOption } from './validate.ts'

/** The queue of those who name none. */
export const DEFAULT_QUEUE_NAME = 'default'

/** How many characters (code points) a queue's name has at most. */
const MAX_QUEUE_NAME_CHARACTERS = 200

/** Checks a queue's name: 1 to 200 characters of any kind that PostgreSQL can store. */
export function checkQueueName(option: string, value: unknown): string {
  const remedy = 'it takes a name of 1 to 200 characters'
  if (typeof value !== 'string' || value === '') throw invalidOption(option, value, remedy)
  if (value.includes('\u0000')) {
    throw invalidOption(option, value, `${remedy}, any but \\u0000, which PostgreSQL cannot store`)
  }
  if (/\p{Surrogate}/u.test(value)) {
    throw invalidOption(option, value, `${remedy}, without half a surrogate pair`)
  }
  // PostgreSQL counts code points, JavaScript's length counts some of them twice.
  const isLonger =
    value.length > 2 * MAX_QUEUE_NAME_CHARACTERS ||
    Array.from(value).length > MAX_QUEUE_NAME_CHARACTERS
  if (isLonger) throw invalidOption(option, value, remedy)
  return value
}
