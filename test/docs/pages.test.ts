import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { anchors, pages, readPage, relativeLinks, root } from './markdown.ts'

describe.each(pages())('%s', (page) => {
  test('has links that lead somewhere', () => {
    const broken = relativeLinks(page).filter(({ target }) => !leadsSomewhere(page, target))
    expect(broken).toEqual([])
  })

  test('names files that exist', () => {
    const named = readPage(page).matchAll(/`((?:src|test|docs|examples)\/[\w./-]+)`/g)
    const missing = [...named]
      .map(([, file]) => file ?? '')
      .filter((file) => !file.includes('NNNN')) // a name that is to be chosen
      .filter((file) => !existsSync(path.join(root, file)))
    expect(missing).toEqual([])
  })
})

test('the index of docs/ leads to each of its pages', () => {
  const listed = new Set(relativeLinks('docs/README.md').map(({ target }) => `docs/${target}`))
  const flat = pages().filter((page) => /^docs\/[^/]+$/.test(page) && page !== 'docs/README.md')
  expect(flat.filter((page) => !listed.has(page))).toEqual([])
})

describe('the list of errors', () => {
  const codes = [...sourceOf('src/core/errors.ts').matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(
    ([, code]) => code,
  )
  const lines = [...readPage('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(
    ([, code]) => code,
  )

  test('has one line for each code, and no other', () => {
    expect(codes.length).toBeGreaterThan(15)
    expect(lines).toEqual(codes)
  })

  test('says a cause and a remedy for each', () => {
    const rows = readPage('docs/errors.md').match(/^\| `[A-Z_]+` \|.*$/gm) ?? []
    const whole = rows.filter((row) => /^\| `[A-Z_]+` \| [^|]+\. \| [^|]+ \|$/.test(row))
    expect(whole).toEqual(rows)
  })
})

describe('the tables of options', () => {
  const page = readPage('docs/jobs-and-retries.md')
  const rows = new Map(
    [...page.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, name, cell]) => [name, cell]),
  )

  test.each(['queue-options.ts', 'enqueue-options.ts'])(
    'have each of %s, with its default',
    (file) => {
      const source = sourceOf(`src/core/${file}`)
      const options = source.matchAll(/@default ([^\n*]+?)(?: \*\/|\n   \*\/)\n {2}(\w+)\?:/g)
      const listed = [...options].map(([, value = '', name = '']) => ({
        name,
        value,
        cell: rows.get(name),
      }))
      expect(listed.length).toBeGreaterThan(8)
      expect(listed.filter(({ cell }) => cell === undefined)).toEqual([])
      const isLiteral = /^('[^']*'|\d+|false|\[\]|\{\})$/
      const wrong = listed.filter(
        ({ value, cell }) => isLiteral.test(value) && cell !== `\`${value}\``,
      )
      expect(wrong).toEqual([])
    },
  )

  test('speak of each option of receive and drain', () => {
    const source = sourceOf('src/core/receive-options.ts')
    const names = [...source.matchAll(/^ {2}'(\w+)',$/gm)].map(([, name]) => name ?? '')
    expect(names.length).toBeGreaterThan(6)
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([])
  })
})

test('the list of events has each of them, at its level', () => {
  const wording = sourceOf('src/core/log-wording.ts')
  const events = [...wording.matchAll(/^ {2}'([\w.]+)': \[\s*'(\w+)'/gm)]
  const rows = [...readPage('docs/logging.md').matchAll(/^\| `([a-z_]+\.[a-z_]+)` \| (\w+) \|/gm)]
  const listed = (matches: RegExpExecArray[]) =>
    matches.map(([, name, level]) => `${name} ${level}`)
  expect(events.length).toBeGreaterThan(30)
  expect(listed(rows).sort()).toEqual(listed(events).sort())
})

test('pages name no event that there is not', () => {
  const wording = sourceOf('src/core/log-wording.ts')
  const events = new Set([...wording.matchAll(/^ {2}'([\w.]+)': \[/gm)].map(([, name]) => name))
  const methods = new Set(
    [...sourceOf('src/job-queue.ts').matchAll(/^ {2}(?:async )?(\w+)[<(]/gm)].map(
      ([, name]) => `queue.${name}`,
    ),
  )
  const families = new Set([...events].map((name) => name?.split('.')[0]))
  const fields =
    /^(job\.(id|args|attempt|metadata)|pool\.(on|end|query|connect)|history\.(errors|moved_to))$/
  const unknown = pages().flatMap((page) =>
    [...readPage(page).matchAll(/`(([a-z]+)\.[a-z_]+)`/g)]
      .filter(([, name = '', family]) => families.has(family) && !events.has(name))
      .filter(([, name = '']) => !methods.has(name))
      .filter(([, name = '']) => !fields.test(name) && !/\.(ts|md|js)$/.test(name))
      .map(([, name]) => `${page}: ${name}`),
  )
  expect(unknown).toEqual([])
})

describe('the decisions', () => {
  const files = readdirSync(path.join(root, 'docs/adr')).filter((name) => /^\d{4}-/.test(name))

  test('are numbered without gaps, by the number in their title', () => {
    const numbers = files.sort().map((name) => name.slice(0, 4))
    expect(numbers).toEqual(files.map((_, index) => String(index + 1).padStart(4, '0')))
    for (const name of files) {
      expect(readPage(`docs/adr/${name}`)).toMatch(new RegExp(`^# ${name.slice(0, 4)}\\. `))
    }
  })

  test.each(files)('%s says its context, decision, measurement and consequence', (name) => {
    const headings = anchors(`docs/adr/${name}`).slice(1)
    expect(headings).toEqual(['context', 'decision', 'measurement', 'consequence'])
  })

  test('are all in the list, under their own titles', () => {
    const list = readPage('docs/adr/README.md')
    for (const name of files) {
      const [, title] = /^# \d{4}\. (.+)$/m.exec(readPage(`docs/adr/${name}`)) ?? []
      expect(list).toContain(`| [${name.slice(0, 4)}](${name}) | ${title} |`)
    }
  })
})

function sourceOf(file: string): string {
  return readFileSync(path.join(root, file), 'utf8')
}

function leadsSomewhere(page: string, target: string): boolean {
  const [file = '', anchor] = target.split('#')
  const destination = file === '' ? page : path.join(path.dirname(page), decodeURI(file))
  if (!existsSync(path.join(root, destination))) return false
  return anchor === undefined || anchors(destination).includes(anchor)
}
