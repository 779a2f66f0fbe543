import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const folder = path.resolve(import.meta.dirname, '../../examples')
const names = readdirSync(folder).filter((name) => name.endsWith('.ts'))
/** Files that mount the dashboard, the configuration of Next.js aside. */
const mounts = readdirSync(path.join(folder, 'dashboard'), {
  recursive: true,
  encoding: 'utf8',
}).filter((name) => name.endsWith('.ts') && !name.endsWith('.config.ts'))
const tests = readdirSync(import.meta.dirname).map((name) =>
  readFileSync(path.join(import.meta.dirname, name), 'utf8'),
)

test('the list names every example and no other', () => {
  const list = readFileSync(path.join(folder, 'README.md'), 'utf8')
  const named = [...list.matchAll(/^\| \[([\w-]+\.ts)\]\(\1\) \| [^|]+\. \|$/gm)]
  expect(named.map(([, name]) => name ?? '').sort()).toEqual(names.sort())
})

test('the list names every mount of the dashboard and no other', () => {
  const list = readFileSync(path.join(folder, 'README.md'), 'utf8')
  const named = [...list.matchAll(/^\| \[[^\]]+\]\(dashboard\/([^)]+)\) \| [^|]+\. \|$/gm)]
  expect(named.map(([, file]) => decodeURI(file ?? '')).sort()).toEqual(mounts.sort())
})

describe.each(mounts)('dashboard/%s', (name) => {
  const text = readFileSync(path.join(folder, 'dashboard', name), 'utf8')

  test('says at its top what it takes', () => {
    const [header = ''] = text.split('*/')
    expect(header).toContain('DATABASE_URL')
    expect(header).toContain('DASHBOARD_PASSWORD')
    const isProgram = text.includes('.listen(')
    expect(header.includes(`node examples/dashboard/${name}`)).toBe(isProgram)
  })

  test('is short, and run by a test', () => {
    expect(text.split('\n').length).toBeLessThanOrEqual(50)
    expect(tests.some((code) => code.includes(`['${name.replace(/\.ts$/, '')}'`))).toBe(true)
  })
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
