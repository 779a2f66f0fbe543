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

/** A fenced code block of a page. */
export interface Block {
  readonly page: string
  /** The line of the page on which its code begins; 1 is the first. */
  readonly line: number
  /** The first word behind the fence; empty for a drawing. */
  readonly language: string
  /** The other words behind the fence. */
  readonly words: readonly string[]
  readonly code: string
}

/** The code blocks of a page, in their order. Throws for a fence that nobody closed, or that stands in a list. */
export function blocksOf(page: string, text: string = readPage(page)): Block[] {
  const blocks: Block[] = []
  const lines = text.split('\n')
  for (let index = 0; index < lines.length; index += 1) {
    if (!/^\s*(```|~~~)/.test(lines[index] ?? '')) continue
    const at = `${page}:${index + 1}`
    const [, info] = /^```([^`]*)$/.exec(lines[index] ?? '') ?? []
    if (info === undefined)
      throw new Error(`${at}: a fence is three backticks at the line's start.`)
    const end = lines.indexOf('```', index + 1)
    if (end === -1) throw new Error(`${at}: this fence is never closed.`)
    const [language = '', ...words] = info.trim().split(/\s+/)
    const code = lines.slice(index + 1, end).map((line) => `${line}\n`)
    blocks.push({ page, line: index + 2, language, words, code: code.join('') })
    index = end
  }
  return blocks
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
