import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { millrace } from './millrace.ts'

/** Has the shell completed what stands here, with the words that it must offer. */
const CASES: [line: string[], offered: string[]][] = [
  [['jobs', 'ca'], ['cancel']],
  [
    ['migrate', ''],
    ['up', 'down', 'status'],
  ],
  [['--schema', 'jobs', 'jobs', '--queue', 'list', 'sh'], ['show']],
  [
    ['jobs', 'list', '--status', 'f'],
    ['finished', 'failed'],
  ],
  [['jobs', 'cancel', '-s', 'av'], ['available']],
  [
    ['jobs', 'list', '--ne'],
    ['--newer-than', '--newest'],
  ],
  [['queues', '--js'], ['--json']],
  [['do'], ['doctor']],
  [['doctor', '--st'], ['--strict']],
  [['jobs', 'edit', '--retry-policy', 'l'], ['linear']],
  [['redrive', '--i'], ['--id']],
  [['completion', 'z'], ['zsh']],
]

const COMPLETE: Record<string, (script: string, words: string[]) => [string, string[]]> = {
  bash: (script, words) => [
    'bash',
    [
      ...['--norc', '-c'],
      `source ${script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _millrace; printf '%s\\n' "\${COMPREPLY[@]}"`,
      ...['bash', 'millrace', ...words],
    ],
  ],
  // The functions of its completion system need a terminal; they are stood in for, our own runs as it is.
  zsh: (script, words) => [
    'zsh',
    [
      ...['-f', '-c'],
      `compdef() {}; _files() {}; compadd() { shift; print -l -- $@ }
       _describe() { local each; for each in \${(P)@[-1]}; do print -r -- \${each%%:*}; done }
       source ${script}; words=("$@"); CURRENT=$#; PREFIX=$words[-1]; _millrace`,
      ...['zsh', 'millrace', ...words],
    ],
  ],
  fish: (script, words) => [
    'fish',
    ['--no-config', '-c', `source ${script}; complete -C "millrace ${words.join(' ')}"`],
  ],
}

describe.each(Object.keys(COMPLETE))('completion for %s', (shell) => {
  const isInstalled = spawnSync(shell, ['--version']).status === 0
  let script = ''

  beforeAll(async () => {
    const { code, stdout, stderr } = await millrace(['completion', shell])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    script = path.join(mkdtempSync(path.join(inject('scratchFolder'), 'completion-')), shell)
    writeFileSync(script, stdout)
  })

  test.skipIf(!isInstalled)('is a script that the shell accepts', () => {
    const { status, stderr } = spawnSync(shell, ['-n', script], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  test.skipIf(!isInstalled).each(CASES)('%j offers %j', (words, offered) => {
    const [program, args] = COMPLETE[shell]?.(script, words) ?? ['', []]
    const answer = execFileSync(program, args, { encoding: 'utf8' })
    const last = words.at(-1) ?? ''
    const found = answer
      .split('\n')
      .map((line) => line.split('\t')[0] ?? '')
      .filter((word) => word !== '' && word.startsWith(last))
    expect(found.toSorted()).toEqual(offered.toSorted())
  })
})
