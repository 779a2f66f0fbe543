import { mkdtempSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { commandsOf, runCommand } from './commands.ts'
import { isAsShown } from './expected.ts'
import { stepsOf, type Step } from './kinds.ts'
import { blocksOf, pages, root } from './markdown.ts'
import { compilePages, type Programs } from './programs.ts'
import { runPage } from './run-page.ts'

/*
 * What a page shows is what a reader copies. So every block of code is compiled and run; what there is,
 * CONTRIBUTING.md says. Each page has a database of its own.
 */

/** What needs something beside it, and is run by a test that has it. */
const ELSEWHERE: Readonly<Record<string, readonly Step['kind'][]>> = {
  'README.md': ['program', 'sql'], // readme.test.ts
  'docs/roles.md': ['sql'], // test/migrations/roles.test.ts
}

/** At most so many pages run at once. */
const AT_ONCE = 2

const withCode = [...pages(), ...examples()].filter(
  (page) => page === 'README.md' || /^(docs|examples)\/(?!adr\/)/.test(page),
)
const toRun = withCode.filter(isToRun)
let programs: Programs
const admin = new Client({ connectionString: inject('databaseUrl') })
const turns = Array.from({ length: AT_ONCE }, () => Promise.resolve())

beforeAll(async () => {
  programs = await compilePages(toRun)
  await admin.connect()
})

afterAll(async () => {
  programs.remove()
  await admin.end()
})

describe('a code block', () => {
  test.each(withCode)('of %s is of a kind that is known', (page) => {
    expect(() => stepsOf(blocksOf(page))).not.toThrow()
  })

  test('of an unknown kind is refused', () => {
    const unknown = [
      '```java\n```\n',
      '```ts once\n```\n',
      '```ts\n',
      '  ```ts\n  ```\n',
      '~~~ts\n~~~\n',
      '```text\nwhose output?\n```\n',
      '```json\n{,}\n```\n',
    ]
    for (const text of unknown) {
      expect(() => stepsOf(blocksOf('page.md', text))).toThrow(/^page.md:\d+: /)
    }
  })

  test('has the output that stands below it', () => {
    const text = '```ts\n1\n```\n\nIt prints:\n\n```text\n1\n```\n\n```sh\nls\n```\n'
    const steps = stepsOf(blocksOf('page.md', text))
    expect(steps).toMatchObject([
      { kind: 'program', block: { line: 2 }, output: { line: 8 } },
      { kind: 'shell', output: undefined },
    ])
  })
})

describe('an output', () => {
  test.each([
    ['a\nb\n', 'a\nb\n', true],
    ['a\nb\n', 'a\n', false],
    ['a  \n', 'a\n', true],
    ['job 17 of x\n', 'job … of x\n', true],
    ['job 17\n of x\n', 'job … of x\n', false],
    ['a\n1\n2\nb\n', 'a\n…\nb\n', true],
    ['a\nb\n', 'a\n…\nb\n', true],
    ['a.c\n', 'a.c\n', true],
    ['abc\n', 'a.c\n', false],
  ])('%j shown as %j fits: %s', (output, shown, fits) => {
    expect(isAsShown(output, shown)).toBe(fits)
  })
})

describe('a shell block', () => {
  test('is run as far as it is about millrace', () => {
    const runs = [
      'millrace queues',
      'npx millrace jobs show 1 # exits with 1',
      'MAIL=localhost npx millrace drain ./queues.js',
      "jq -c '.[]' jobs.json | millrace enqueue emails -",
      'node worker.js # then Ctrl-C',
    ]
    const forTheReader = ['npm install millrace', 'cd millrace', 'export A=b', 'node --version', '']
    expect(commandsOf([...runs, ...forTheReader].join('\n'))).toEqual(runs)
    expect(commandsOf('millrace enqueue \\\n  emails 1\n')).toEqual(['millrace enqueue emails 1'])
  })

  test('says how a command ends', async () => {
    const place = {
      folder: mkdtempSync(path.join(inject('scratchFolder'), 'commands-')),
      databaseUrl: '',
    }
    expect(await runCommand('node -p 1', place)).toBe('1\n')
    await expect(runCommand('node -e "process.exit(3)"', place)).rejects.toThrow('ended with 3')
    expect(await runCommand('node -e "process.exit(3)" # exits with 3', place)).toBe('')
    const waits = `node -e "process.on('SIGINT', () => process.exit(0)); console.log('up'); setInterval(() => {}, 9)"`
    expect(await runCommand(`${waits} # then Ctrl-C`, place, 'up\n')).toBe('up\n')
  })
})

describe('the code in', () => {
  test.concurrent.each(toRun)('%s does what the page says', { timeout: 300_000 }, (page) =>
    inTurn(page, async () => {
      expect(programs.complaintsOf(page)).toEqual([])
      const database = `millrace_docs_${process.pid}_${toRun.indexOf(page)}`
      await admin.query(`create database ${database}`)
      const url = new URL(inject('databaseUrl'))
      url.pathname = `/${database}`
      try {
        const elsewhere = ELSEWHERE[page] ?? []
        await runPage(page, { folder: programs.folderOf(page), databaseUrl: url.href, elsewhere })
      } finally {
        await admin.query(`drop database if exists ${database} with (force)`)
      }
    }),
  )
})

function isToRun(page: string): boolean {
  try {
    const elsewhere: readonly string[] = ELSEWHERE[page] ?? []
    return stepsOf(blocksOf(page)).some(({ kind }) => kind !== 'shown' && !elsewhere.includes(kind))
  } catch {
    return false // what is wrong with it, a test of its own says
  }
}

/** Waits for the others before it, so that no more than `AT_ONCE` run. */
async function inTurn(page: string, work: () => Promise<void>): Promise<void> {
  const place = toRun.indexOf(page) % AT_ONCE
  const mine = (turns[place] ?? Promise.resolve()).then(work)
  turns[place] = mine.catch(() => undefined)
  return mine
}

function examples(): string[] {
  try {
    const all = readdirSync(path.join(root, 'examples'), { recursive: true, encoding: 'utf8' })
    return all.filter((name) => /(^|\/)README\.md$/.test(name)).map((name) => `examples/${name}`)
  } catch {
    return [] // there are none
  }
}
