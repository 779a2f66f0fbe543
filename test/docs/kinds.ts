import type { Block } from './markdown.ts'

/** What is done with a block. */
export type Step =
  /** Compiled, then run as a process of its own. */
  | { readonly kind: 'program'; readonly block: Block; readonly output: Block | undefined }
  /** Compiled only. */
  | { readonly kind: 'compiled'; readonly block: Block }
  /** Written (and compiled) under its name, for what comes after it. */
  | { readonly kind: 'file'; readonly block: Block; readonly name: string }
  /** Its lines with `millrace` and `node` are run in a shell. */
  | { readonly kind: 'shell'; readonly block: Block; readonly output: Block | undefined }
  /** Run on the page's database. */
  | { readonly kind: 'sql'; readonly block: Block; readonly output: Block | undefined }
  /** Only looked at. */
  | { readonly kind: 'shown'; readonly block: Block }

/** Languages that nobody runs here. */
const SHOWN = new Set(['', 'json', 'jsonl', 'yaml', 'toml', 'ini', 'dockerfile', 'diff'])

/**
 * What is done with each block of a page. Throws for a language or a word that is not known, so that
 * nothing on a page escapes.
 */
export function stepsOf(blocks: readonly Block[]): Step[] {
  return blocks.flatMap((block, index): Step[] => {
    const next = blocks[index + 1]
    const output = next?.language === 'text' && next.words.length === 0 ? next : undefined
    if (block.language !== 'text') return [stepOf(block, output)]
    if (block.words.join() === 'example') return [{ kind: 'shown', block }]
    const before = blocks[index - 1]
    const hasOutput = before !== undefined && 'output' in stepOf(before, block)
    if (hasOutput && block.words.length === 0) return [] // compared with what the step before prints
    throw unknown(block)
  })
}

function stepOf(block: Block, output: Block | undefined): Step {
  const { language, words } = block
  const word = words.join(' ')
  if (language === 'ts' || language === 'js') {
    if (word === '') return { kind: 'program', block, output }
    if (word === 'compile-only') return { kind: 'compiled', block }
    if (word === 'theirs') return { kind: 'shown', block } // how another library does it
    if (/^[\w-]+\.(ts|js|mjs|cjs)$/.test(word) && word.endsWith(language)) {
      return { kind: 'file', block, name: word }
    }
  } else if (language === 'sh' || language === 'sql') {
    if (word === 'example') return { kind: 'shown', block }
    if (word === '') return { kind: language === 'sh' ? 'shell' : 'sql', block, output }
  } else if (SHOWN.has(language) && word === '') {
    checkShown(block)
    return { kind: 'shown', block }
  }
  throw unknown(block)
}

function unknown({ page, line, language, words }: Block): Error {
  const info = [language, ...words].join(' ')
  return new Error(
    `${page}:${line - 1}: nobody knows what to do with a block of "${info}" here. CONTRIBUTING.md says what there is.`,
  )
}

function checkShown({ page, line, language, code }: Block): void {
  try {
    if (language === 'json') JSON.parse(code)
    if (language === 'jsonl') for (const row of code.trimEnd().split('\n')) JSON.parse(row)
  } catch (cause) {
    throw new Error(`${page}:${line}: this is no ${language}: ${String(cause)}`, { cause })
  }
  if (language === 'yaml' && code.includes('\t')) {
    throw new Error(`${page}:${line}: a tab does not indent YAML.`)
  }
}
