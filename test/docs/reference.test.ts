import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { readPage, root } from './markdown.ts'

const page = readPage('docs/reference.md')

/** The part of the page between a heading and the next one of its kind. */
function sectionOf(heading: string): string {
  return page.split(/^## /m).find((section) => section.startsWith(heading)) ?? ''
}

/** What stands in the first column of a section's tables. */
function namesIn(text: string): string[] {
  const cells = [...text.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell]) => cell ?? '')
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name ?? ''))
}

/** What a door of the package exports, types included. */
function exportsOf(file: string): string[] {
  const source = readFileSync(path.join(root, file), 'utf8')
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
  const listed = lists.flatMap(([, names]) => (names ?? '').split(','))
  const declared = [
    ...source.matchAll(/^export (?:async )?(?:function|class|const|interface|type) (\w+)/gm),
  ]
  return [
    ...listed.map((name) => name.replace(/^\s*type\s+/, '').trim()),
    ...declared.map(([, name]) => name ?? ''),
  ].filter((name) => name !== '')
}

describe('the reference', () => {
  const ofOtherDoors = ['millrace/embedded', 'millrace/otel'].map((door) =>
    sectionOf(`\`${door}\``),
  )

  test.each([
    ['src/embedded/index.ts', ofOtherDoors[0] ?? ''],
    ['src/otel/index.ts', ofOtherDoors[1] ?? ''],
  ])('names all that %s exports, and nothing else', (file, section) => {
    expect(namesIn(section).sort()).toEqual(exportsOf(file).sort())
  })

  test('names all that src/index.ts exports, each once, and nothing else', () => {
    const rest = ofOtherDoors.reduce((text, section) => text.replace(section, ''), page)
    const exported = exportsOf('src/index.ts')
    expect(exported.length).toBeGreaterThan(50)
    expect(namesIn(rest).sort()).toEqual(exported.sort())
  })
})
