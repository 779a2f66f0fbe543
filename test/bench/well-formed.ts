const NAME = '[A-Za-z][\\w:-]*'
const TEXT = '(?:[^<&\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f]|&(?:amp|lt|gt|quot|apos);)'
const TAG = new RegExp(`^<(/?)(${NAME})((?:\\s+${NAME}="(?:(?!")${TEXT})*")*)\\s*(/?)>`)

/** Throws unless the text is one XML element, properly nested. No comments or declarations: we write none. */
export function wellFormed(text: string): void {
  const open: string[] = []
  let rest = text.trim()
  let roots = 0
  while (rest !== '') {
    const [characters = ''] = new RegExp(`^${TEXT}+`).exec(rest) ?? []
    if (characters !== '' && open.length > 0) {
      rest = rest.slice(characters.length)
      continue
    }
    const [tag, closes, name = '', attributes, isEmpty] = TAG.exec(rest) ?? []
    if (tag === undefined) throw broken(rest)
    if (closes === '/' ? open.pop() !== name || attributes !== '' : false) throw broken(rest)
    if (closes === '' && open.length === 0) roots += 1
    if (closes === '' && isEmpty === '') open.push(name)
    rest = rest.slice(tag.length)
  }
  if (open.length > 0 || roots !== 1) throw broken(text)
}

function broken(rest: string): Error {
  return new Error(`not well-formed here: ${rest.slice(0, 60)}`)
}
