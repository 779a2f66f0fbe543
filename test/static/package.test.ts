import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { npm } from '../support/npm.ts'
import { readSources, root } from './sources.ts'

interface Manifest {
  type: string
  sideEffects: boolean
  engines: { node: string }
  exports: Record<string, string | Record<string, string>>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  peerDependencies: Record<string, string>
  peerDependenciesMeta: Record<string, { optional?: boolean }>
}

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest

const doors = Object.keys(manifest.exports).filter((door) => door !== './package.json')
const nameOf = (door: string): string => path.posix.join('millrace', door)

/** Runs a line of JavaScript in a process of its own, as somebody would who installed the package. */
function node(script: string, type: 'module' | 'commonjs'): string {
  const run = spawnSync(process.execPath, [`--input-type=${type}`, '--eval', script], {
    cwd: root,
    encoding: 'utf8',
    timeout: 20_000,
  })
  expect({ status: run.status, stderr: withoutWarnings(run.stderr) }).toEqual({
    status: 0,
    stderr: '',
  })
  return run.stdout.trim()
}

const withoutWarnings = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => !/ExperimentalWarning|--trace-warnings/.test(line))
    .join('\n')
    .trim()

test('commander, hono, pg and uplot are all that everybody installs, and every version is exact', () => {
  expect(Object.keys(manifest.dependencies)).toEqual(['commander', 'hono', 'pg', 'uplot'])
  const inexact = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
  )
  expect(inexact).toEqual([])
  for (const peer of Object.keys(manifest.peerDependencies)) {
    expect(manifest.peerDependenciesMeta[peer]).toEqual({ optional: true })
  }
})

test('the package is ESM for Node 20.19 and later', () => {
  expect(manifest.type).toBe('module')
  expect(manifest.engines.node).toBe('>=20.19')
  const conditions = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [] : Object.keys(target),
  )
  expect(new Set(conditions)).toEqual(new Set(['types', 'default']))
})

test('every door is built, with its types', () => {
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  )
  expect(targets.filter((target) => !existsSync(path.join(root, target)))).toEqual([])
})

test.each(doors)('%s can be imported and required, and both get the same', (door) => {
  const name = nameOf(door)
  const imported = node(
    `import * as door from '${name}'; console.log(Object.keys(door).join(' '))`,
    'module',
  )
  const required = node(
    `const door = require('${name}')
     console.log(Object.keys(door).filter((key) => key !== '__esModule').join(' '))`,
    'commonjs',
  )
  expect(imported).not.toBe('')
  expect(required.split(' ').toSorted()).toEqual(imported.split(' ').toSorted())
})

test('importing does nothing: no output, nothing that keeps the process alive', () => {
  const imports = doors.map((door) => `await import('${nameOf(door)}')`).join('\n')
  expect(node(imports, 'module')).toBe('')
})

test('importing has no side effects: a bundler may leave out what nobody uses', () => {
  const script = `
    import { setImmediate as turn } from 'node:timers/promises'
    const state = () => ({
      globals: Reflect.ownKeys(globalThis).map(String).toSorted(),
      listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
      env: { ...process.env },
      resources: process.getActiveResourcesInfo().filter((name) => !/^FS|Immediate/.test(name)),
    })
    await import('pg')
    await import('@opentelemetry/api')
    await turn()
    const before = JSON.stringify(state())
    ${doors.map((door) => `await import('${nameOf(door)}')`).join('\n')}
    await turn()
    if (JSON.stringify(state()) !== before) console.log(before, JSON.stringify(state()))`
  expect(manifest.sideEffects).toBe(false)
  expect(node(script, 'module')).toBe('')
})

test('nothing at the top of a file awaits', () => {
  const waiting = readSources()
    .filter(({ text }) => /^(?:export )?(?:const|let) [^\n]*= await |^(?:for )?await /m.test(text))
    .map(({ file }) => `src/${file}`)
  expect(waiting).toEqual([])
})

test('declarations name no types of a driver', () => {
  const folder = path.join(root, 'dist')
  const declarations = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.d.ts'),
  )
  expect(declarations.length).toBeGreaterThan(0)
  const foreign = declarations.filter((name) => {
    // Who opens the door millrace/otel has the types of OpenTelemetry.
    const own = name.startsWith('otel') ? '' : '|@opentelemetry'
    const names = new RegExp(`(from|import\\() ?['"](pg|postgres|@electric-sql${own})`)
    return names.test(readFileSync(path.join(folder, name), 'utf8'))
  })
  expect(foreign).toEqual([])
})

test('the tarball holds the build with its source, and nothing else of the repository', () => {
  const output = npm(['pack', '--dry-run', '--json', '--silent'], root)
  const [tarball] = JSON.parse(output) as [{ files: { path: string }[] }]
  const files = tarball.files.map((file) => file.path)
  const wanted = ['dist/index.js', 'dist/index.d.ts', 'dist/index.d.ts.map', 'src/index.ts']
  expect(files).toEqual(expect.arrayContaining(wanted))
  const strange = files.filter(
    (file) => !/^(dist|src)\/|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(file),
  )
  expect(strange).toEqual([])
})
