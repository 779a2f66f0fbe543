/** A command line that a person can paste: `showCommand('migrate up', { schema: 'jobs' })`. */
export function showCommand(command: string, { schema }: { schema?: string } = {}): string {
  const named = schema === undefined || schema === 'millrace' ? '' : ` --schema ${quote(schema)}`
  return `millrace ${command}${named}`
}

/** A word for a shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
