import { showNumber } from './show.ts'
import { checkArray, invalidOption } from './validate.ts'

const MAX_TAGS = 10
const MAX_CHARACTERS = 100

/** What is wrong with a tag; undefined: nothing. */
function problemOf(tag: string): string | undefined {
  if (tag === '') return 'a tag is a text of at least one character'
  if (tag.length > MAX_CHARACTERS) {
    return `a tag has at most ${MAX_CHARACTERS} characters, and this one ${showNumber(tag.length)}`
  }
  if (tag !== tag.trim()) return 'a tag neither begins nor ends with white space; trim it'
  if (/\p{Cc}/u.test(tag)) return 'a tag has no control characters'
  if (/\p{Surrogate}/u.test(tag))
    return 'it contains half a surrogate pair; use text.toWellFormed()'
  return undefined
}

/** The tags of a job, checked: at most 10, each of 1 to 100 characters, none twice. Throws `INVALID_OPTION`. */
export function checkTags(option: string, value: unknown): readonly string[] {
  const seen = new Set<string>()
  const remedy = 'it takes an array of texts such as "customer:42"'
  return checkArray(option, value, remedy, (tag, index) => {
    if (index === MAX_TAGS) throw invalidOption(option, value, `a job has at most ${MAX_TAGS} tags`)
    const place = `${option}[${index}]`
    if (typeof tag !== 'string') throw invalidOption(place, tag, 'a tag is a text')
    const problem = seen.has(tag) ? 'it is there twice; name each tag once' : problemOf(tag)
    if (problem !== undefined) throw invalidOption(place, tag, problem)
    seen.add(tag)
    return tag
  })
}
