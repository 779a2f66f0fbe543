const MOST_CHARACTERS = 100

/** Where a text of the user's begins: a quote, or the tag of a dollar quote. `$1` is none. */
const LITERAL = /'|\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/u

/**
 * As much of a query as tells which one it is, in one line. It ends at the first literal, because somebody's data stands
 * there, perhaps the arguments of a job; and it is never told where a literal ends, as the server cuts long queries off.
 */
export function showQuery(query: string): string {
  const at = query.search(LITERAL)
  const harmless = at === -1 ? query : `${query.slice(0, at)}…`
  const line = harmless.replaceAll(/\s+/g, ' ').trim()
  return line.length <= MOST_CHARACTERS ? line : `${line.slice(0, MOST_CHARACTERS)}…`
}
