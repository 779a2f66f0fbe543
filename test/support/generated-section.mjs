// Plain JavaScript, as scripts call it that Node 20 runs.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->` in a file of the project. */
export function writeSection(file, name, content) {
  const target = path.join(ROOT, file)
  const text = readFileSync(target, 'utf8')
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from === -1 || to < from)
    throw new Error(`${file} has no section between ${begin} and ${end}`)
  writeFileSync(target, `${text.slice(0, from)}${begin}\n\n${content}\n\n${text.slice(to)}`)
}
