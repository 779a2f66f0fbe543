import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** The folder of the package. */
export const root = path.resolve(import.meta.dirname, '../..')

/** A link in a page: where it stands and where it leads. */
export interface Link {
  readonly page: string
  readonly target: string
}

/** Every page that people read here: those at the top, and those below `docs/`. */
export function pages(): string[] {
  const top = readdirSync(root).filter((name) => name.endsWith('.md'))
  const docs = readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  const below = docs.filter((name) => name.endsWith('.md')).map((name) => path.join('docs', name))
  return [...top, ...below].sort()
}

export function readPage(page: string): string {
  return readFileSync(path.join(root, page), 'utf8')
}

/** The code blocks of a language, in their order. */
export function codeBlocks(page: string, language: string): string[] {
  const blocks = readPage(page).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)
  return [...blocks].filter(([, tag]) => tag === language).map(([, , code]) => code ?? '')
}

/** The links of a page that lead to files of the package or to headings. */
export function relativeLinks(page: string): Link[] {
  const links = withoutCode(readPage(page)).matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)
  return [...links]
    .map(([, inline, reference]) => inline ?? reference ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => ({ page, target }))
}

/** What can stand after `#` in a link to this page. */
export function anchors(page: string): string[] {
  const headings = withoutCode(readPage(page)).matchAll(/^#{1,6} (.+)$/gm)
  return [...headings].map(([, heading]) => slugOf(heading ?? ''))
}

/** A heading's anchor, as GitHub makes it. */
function slugOf(heading: string): string {
  const plain = heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '')
  return plain.trim().replaceAll(' ', '-')
}

/** Code may hold brackets and hashes that are no links and no headings. */
function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, (code) => {
    return code.includes('](') ? '' : code
  })
}
