/**
 * Whether an output is the one that a page shows. `…` stands for anything within a line; a line of
 * nothing but `…` for any number of lines.
 */
export function isAsShown(output: string, shown: string): boolean {
  const pattern = shown
    .trimEnd()
    .split('\n')
    .map((line) => (line.trim() === '…' ? '(?:.*\n)*?' : `${toPattern(line.trimEnd())}\n`))
    .join('')
  const lines = output.trimEnd().split('\n')
  return new RegExp(`^${pattern}$`).test(lines.map((line) => `${line.trimEnd()}\n`).join(''))
}

function toPattern(line: string): string {
  return line.split('…').map(escape).join('.*')
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}
