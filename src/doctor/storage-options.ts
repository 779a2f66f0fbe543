/** A storage option of a table that is not set as migrations set it. */
export interface OptionDifference {
  readonly name: string
  /** Undefined: it is to have its default. */
  readonly wanted: string | undefined
  /** Undefined: it has its default. */
  readonly found: string | undefined
}

/** Compares options as the catalog's description has them: `fillfactor=45, vacuum_truncate=off`, or `none`. */
export function compareOptions(wanted: string, found: string): OptionDifference[] {
  const [all, there] = [readOptions(wanted), readOptions(found)]
  return [...new Set([...all.keys(), ...there.keys()])]
    .map((name) => ({ name, wanted: all.get(name), found: there.get(name) }))
    .filter((option) => option.wanted !== option.found)
}

/** `fillfactor is 90, not 45` */
export function showOption({ name, wanted, found }: OptionDifference): string {
  return `${name} is ${found ?? 'not set'}, not ${wanted ?? 'left as it comes'}`
}

function readOptions(text: string): Map<string, string> {
  if (text === 'none') return new Map()
  const pairs = text.split(', ').map((option): [string, string] => {
    const [name = '', value = ''] = option.split('=')
    return [name, value]
  })
  return new Map(pairs)
}
