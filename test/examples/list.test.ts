import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const folder = path.resolve(import.meta.dirname, '../../examples')
const names = readdirSync(folder).filter((name) => name.endsWith('.ts'))
const tests = readdirSync(import.meta.dirname).map((name) =>
  readFileSync(path.join(import.meta.dirname, name), 'utf8'),
)

test('the list names every example and no other', () => {
  const list = readFileSync(path.join(folder, 'README.md'), 'utf8')
  const named = [...list.matchAll(/^\| \[([\w-]+\.ts)\]\(\1\) \| [^|]+\. \|$/gm)]
  expect(named.map(([, name]) => name ?? '').sort()).toEqual(names.sort())
})

describe.each(names)('%s', (name) => {
  const text = readFileSync(path.join(folder, name), 'utf8')

  test('says at its top how it is run', () => {
    expect(text).toMatch(/^\/\*\n \* /)
    const [header = ''] = text.split('*/')
    expect(header).toContain(`DATABASE_URL=postgres://localhost/test node examples/${name}`)
  })

  test('can be read in one go', () => {
    expect(text.split('\n').length).toBeLessThanOrEqual(130)
  })

  test('is run by a test', () => {
    expect(tests.some((code) => code.includes(`run('${path.basename(name, '.ts')}'`))).toBe(true)
  })
})
