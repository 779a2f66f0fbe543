/*
 * Errors of one cause differ in what they are about: an id, an address, an amount. Their fingerprint is the message
 * with all that taken out, so that five hundred failures become the three things that are wrong.
 *
 * It is a guess by the look of words. One that takes out too little makes two groups of one cause, one that takes out
 * too much makes one of two: both still lead to the jobs.
 */

const START = String.raw`(?<![\p{L}\p{N}_])`
const END = String.raw`(?![\p{L}\p{N}_])`

/** What varies, by name; where several fit, the first does. None takes more than linear time but within short bounds. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  uuid: [`${START}[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}${END}`],
  time: [
    String.raw`${START}\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?${END}`,
    String.raw`${START}\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?${END}`,
  ],
  address: [
    String.raw`${START}[a-z][a-z0-9+.-]{1,20}://[^\s'"<>()]*[^\s'"<>().,;:!?]`,
    String.raw`${START}[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}`,
    String.raw`${START}\[?(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(?:\.\d{1,3}){0,3}${END}\]?(?::\d{1,5}${END})?`,
    String.raw`${START}\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?${END}`,
  ],
  text: [
    String.raw`"(?:\\.|[^"\\\n])*"`,
    String.raw`(?<![\p{L}\p{N}])'(?:\\.|[^'\\\n])*'(?![\p{L}\p{N}])`, // an apostrophe is no quote
    '`[^`\\n]*`',
    '„[^“”\\n]*[“”]',
    '“[^”\\n]*”',
    '‘[^’\\n]*’(?![\\p{L}\\p{N}])',
    '«[^»\\n]*»',
  ],
  hex: [
    `${START}0x[0-9a-f]+${END}`,
    String.raw`${START}(?=\d*[a-f])(?=[a-f]*\d)[0-9a-f]{7,}${END}`,
  ],
  id: [String.raw`${START}(?=(?:[a-z_]*\d){3})(?=[\d_]*[a-z])\w{12,}${END}`],
  number: [
    String.raw`(?<![\p{L}\p{N}])[-+]?\d+(?:[.,_]\d+)*(?:e[-+]?\d+${END})?`,
    String.raw`(?<=\p{L})\d{4,}(?:[.,_]\d+)*`, // not that of sha256 or http2
  ],
}

const VARIABLE = new RegExp(
  Object.entries(VARIABLES)
    .map(([name, patterns]) => `(?<${name}>${patterns.join('|')})`)
    .join('|'),
  'giu',
)

/** A text to search for is no longer than this. */
const MAX_TEXT = 200

/** What errors of one cause have in common. */
export interface Fingerprint {
  /** The message with what varies taken out: `connect ECONNREFUSED ‹address›`. */
  readonly shape: string
  /** Parts of `name: message` that all of them have, to search for: the longest first, and at the end the name. */
  readonly texts: readonly string[]
}

/** The fingerprint of an error. Names stay as they are. */
export function fingerprint(name: string, message: string): Fingerprint {
  let shape = ''
  let literal = `${name}: `
  let end = 0
  const literals: string[] = []
  for (const match of message.matchAll(VARIABLE)) {
    const between = message.slice(end, match.index)
    shape += `${between}‹${nameOf(match)}›`
    literals.push(literal + between)
    literal = ''
    end = match.index + match[0].length
  }
  const rest = message.slice(end)
  const texts = [...literals, literal + rest].flatMap((text) => text.split(/[\r\n]+/)).map(trim)
  return {
    shape: (shape + rest).replaceAll(/\s+/g, ' ').trim(),
    texts: [...texts.filter((text) => text !== '').sort(byLength), `${name}:`],
  }
}

function nameOf({ groups = {} }: RegExpExecArray): string {
  return Object.keys(VARIABLES).find((name) => groups[name] !== undefined) ?? ''
}

/** Cut where no character of two halves is. */
function trim(text: string): string {
  return text
    .trim()
    .slice(0, MAX_TEXT)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trimEnd()
}

function byLength(left: string, right: string): number {
  return right.length - left.length
}
