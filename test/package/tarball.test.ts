import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, inject, test } from 'vitest'
import { packInto, root, type Tarball } from './tarball.ts'

let tarball: Tarball

beforeAll(() => {
  tarball = packInto(mkdtempSync(path.join(inject('scratchFolder'), 'tarball-')))
})

/** What a tool of node_modules says about the tarball. */
function ask(tool: string, ...args: string[]): { status: number | null; output: string } {
  const run = spawnSync(process.execPath, [path.join(root, 'node_modules', tool), ...args], {
    cwd: path.dirname(tarball.file), // away from here, so that it sees nothing but the tarball
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  return { status: run.status, output: run.stdout + run.stderr }
}

function readJson(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path.join(tarball.folder, file), 'utf8')) as Record<
    string,
    unknown
  >
}

test('publint has nothing to say', () => {
  const { status, output } = ask('publint/src/cli.js', 'run', tarball.file, '--strict')
  expect(output).toContain('All good!')
  expect(status).toBe(0)
})

test('every door has types that are right for whoever imports it, says attw', () => {
  const cli = '@arethetypeswrong/cli/dist/index.js'
  const { status, output } = ask(cli, tarball.file, '--profile', 'esm-only', '--no-emoji')
  expect({ status, output }).toMatchObject({ status: 0 })
  for (const door of ['millrace', 'millrace/dashboard', 'millrace/embedded', 'millrace/otel']) {
    expect(output).toContain(`"${door}"`)
  }
})

test('everything in dist leads to its source, which is there too', () => {
  const files = new Set(tarball.files)
  // What browsers take as it stands is not built.
  const built = tarball.files.filter((file) =>
    /^dist\/(?!dashboard\/assets\/).*(\.js|\.d\.ts)$/.test(file),
  )
  expect(built.length).toBeGreaterThan(100)
  expect(built.filter((file) => !files.has(`${file}.map`))).toEqual([])
  const lost = built.flatMap((file) => {
    const { sources, sourceRoot = '' } = readJson(`${file}.map`)
    return (sources as string[])
      .map((source) => path.posix.join(path.posix.dirname(file), String(sourceRoot), source))
      .filter((source) => !files.has(source) || !source.startsWith('src/'))
  })
  expect(lost).toEqual([])
})

test('nothing runs when it is installed, and only four packages come with it', () => {
  const { scripts, dependencies, optionalDependencies, bundleDependencies } =
    readJson('package.json')
  const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']
  expect(Object.keys(scripts as object).filter((name) => hooks.includes(name))).toEqual([])
  expect(Object.keys(dependencies as object)).toEqual(['commander', 'hono', 'pg', 'uplot'])
  expect([optionalDependencies, bundleDependencies]).toEqual([undefined, undefined])
})

test('the tarball stays small', () => {
  expect(tarball.bytes).toBeLessThan(1_300_000)
  expect(tarball.unpackedBytes).toBeLessThan(5_000_000)
})
