/** The known name that a misspelt one was probably meant to be; undefined when none is near. */
export function suggestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > 40) return undefined
  const wanted = name.toLowerCase()
  let nearest: string | undefined
  let smallest = Math.max(2, Math.floor(wanted.length / 3)) + 1
  for (const candidate of known) {
    const distance = countEdits(wanted, candidate.toLowerCase())
    if (distance < smallest) {
      smallest = distance
      nearest = candidate
    }
  }
  return nearest ?? containing(wanted, known)
}

/** `retries` means `maxRetries`, `queue` means `queueName`. */
function containing(wanted: string, known: readonly string[]): string | undefined {
  if (wanted.length < 4) return undefined
  return known.find((candidate) => candidate.toLowerCase().includes(wanted))
}

/** Levenshtein's distance: how many letters are inserted, removed or replaced. */
function countEdits(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      const removed = (previous[column] ?? 0) + 1
      const inserted = (current[column - 1] ?? 0) + 1
      current.push(Math.min(replaced, removed, inserted))
    }
    previous = current
  }
  return previous[to.length] ?? 0
}
