import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, inject, test } from 'vitest'
import { root } from './tarball.ts'

const page = readFileSync(path.join(root, 'docs/installing.md'), 'utf8')

/** How much the files of a folder hold. */
function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => lstatSync(path.join(folder, name)))
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + entry.size, 0)
}

/** What `docs/installing.md` says, in megabytes. */
function said(pattern: RegExp): number {
  const [, number] = pattern.exec(page) ?? []
  if (number === undefined) throw new Error(`docs/installing.md does not say ${String(pattern)}`)
  return Number(number) * 1_000_000
}

function expectRoughly(actual: number, expected: number): void {
  expect(actual).toBeGreaterThan(expected / 1.6)
  expect(actual).toBeLessThan(expected * 1.6)
}

test('what is installed is as large as docs/installing.md says', () => {
  const modules = path.join(inject('bareFolder'), 'node_modules')
  const names = readdirSync(modules).filter((name) => !name.startsWith('.'))
  const packages = Number(/\*\*(\d+) packages\*\*/.exec(page)?.[1])
  expect(names).toHaveLength(packages)
  expectRoughly(bytesIn(modules), said(/\*\*([\d.]+) MB\*\* on disk/))
  expectRoughly(inject('tarball').bytes, said(/([\d.]+) MB to download/))
})
