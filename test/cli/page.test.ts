import { readFileSync } from 'node:fs'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { Cli } from '../../src/cli/cli.ts'
import { EXIT } from '../../src/cli/failure.ts'
import { createProgram } from '../../src/cli/program.ts'
import { CHECKS } from '../../src/doctor/checks.ts'

/* docs/cli.md is written by hand, and held to what the program takes. */

const page = readFileSync(path.join(import.meta.dirname, '../../docs/cli.md'), 'utf8')
const nowhere = { write: () => true }
const program = createProgram(
  new Cli({ stdin: new PassThrough(), stdout: nowhere, stderr: nowhere, env: {}, cwd: '/' }),
)

/** An option by its flags, and its default as the page writes it. */
type OptionRow = [flags: string, fallback: string]

const commands = leavesOf(program)

describe('docs/cli.md', () => {
  test('has a section for each command, and no other', () => {
    const headings = [...page.matchAll(/^#+ `millrace ([^`]+)`$/gm)].map(([, name = '']) => name)
    expect(headings.toSorted()).toEqual(commands.map(([name]) => name).toSorted())
  })

  test.each(commands)('tells the options of millrace %s, with their defaults', (name, command) => {
    const told = rowsOf(sectionOf(`\`millrace ${name}\``))
    const taken = command.options.map(({ flags }) => flags)
    expect(told.map(([flags]) => flags).toSorted()).toEqual(taken.toSorted())
    for (const { flags, defaultValue } of command.options) {
      if (defaultValue === undefined) continue
      expect(told).toContainEqual([flags, String(defaultValue)])
    }
  })

  test('tells the options of every command', () => {
    const told = rowsOf(sectionOf('For every command')).map(([flags]) => flags)
    const taken = program.options.map(({ flags }) => flags)
    expect(told.toSorted()).toEqual([...taken, '-h, --help'].toSorted())
  })

  test('tells every exit code', () => {
    const told = [...sectionOf('For every command').matchAll(/^\| ([\d, ]+) \|/gm)]
    const codes = told.flatMap(([, cell]) => (cell ?? '').split(', ').map(Number))
    expect(codes).toEqual(Object.values(EXIT))
  })

  test('tells everything that the doctor looks at', () => {
    const told = [...sectionOf('`millrace doctor`').matchAll(/^\| `([a-z]+)` \|/gm)]
    expect(told.map(([, name]) => name)).toEqual(CHECKS.map(({ name }) => name))
  })

  test('names every status and choice', () => {
    for (const [name, command] of commands) {
      const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? [])
      for (const choice of choices)
        expect(sectionOf(`\`millrace ${name}\``)).toContain(`\`${choice}\``)
    }
  })
})

describe('--help', () => {
  test.each(commands)('of millrace %s has a description and fits 110 columns', (_name, command) => {
    expect(command.description()).not.toBe('')
    const help = command.configureHelp({ helpWidth: 110 }).helpInformation()
    for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(110)
  })
})

/** The commands that do something, by the words that lead to them. */
function leavesOf(command: Command, above = ''): [string, Command][] {
  return command.commands.flatMap((each): [string, Command][] => {
    const name = `${above} ${each.name()}`.trim()
    const isGroup = each.commands.length > 0 && each.options.length === 0
    return [...(isGroup ? [] : [[name, each] as [string, Command]]), ...leavesOf(each, name)]
  })
}

/** What stands between a heading and the next one. */
function sectionOf(heading: string): string {
  const sections = page.split(/^#+ /m)
  return sections.find((section) => section.split('\n')[0] === heading) ?? ''
}

function rowsOf(section: string): OptionRow[] {
  const rows = section.matchAll(/^\| `(-[^`]+)` \|.*\| ([^|]*) ?\|$/gm)
  return [...rows].map(([, flags = '', fallback = '']) => [flags, fallback.trim()])
}
