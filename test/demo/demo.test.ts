import { createHash } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type EmbeddedDatabase, openEmbedded } from '../../src/embedded/index.ts'
import { Querier } from '../../src/querier.ts'
import { Demo, makeFolder, type Ended, type Where } from './demo-process.ts'

const MANY = 100
/** Whole runs of real processes, each with a database to open. */
const PATIENCE_MS = 90_000
const LOST = 'here-a-moment-ago.txt is not there (ENOENT)'

const home = mkdtempSync(path.join(os.tmpdir(), 'millrace-demo-test-'))
const template = path.join(home, 'template')
const many = makeFolder(MANY)
const running: Demo[] = []
let first: Ended
let few = ''
let copies = 0

function start(args: readonly string[], where: Where, options?: { uid?: number; gid?: number }) {
  const demo = new Demo(args, where, options)
  running.push(demo)
  return demo
}
function run(args: readonly string[], where: Where): Promise<Ended> {
  return start(args, where).ended
}
/** An embedded database in which the demo has run already: the making of one takes seconds. */
function copyOfTemplate(): string {
  const directory = path.join(home, `copy ${++copies}`)
  cpSync(template, directory, { recursive: true })
  return directory
}
/** Reads in a database while no demo works on it. */
async function look<T>(directory: string, read: (db: EmbeddedDatabase) => Promise<T>): Promise<T> {
  const db = await openEmbedded(path.join(directory, '.millrace'))
  try {
    return await read(db)
  } finally {
    await db.close()
  }
}

beforeAll(async () => {
  few = makeFolder(3)
  writeFileSync(path.join(few, 'open end.js'), 'one\ntwo\nthree')
  writeFileSync(path.join(few, 'empty.json'), '')
  writeFileSync(path.join(few, 'bits'), Buffer.from([1, 0, 2, 10]))
  writeFileSync(path.join(few, 'large.bin'), Buffer.alloc(1_000_000))
  writeFileSync(path.join(few, 'évil \u001b[31m\n.d.ts'), 'declare const x: 1\n')
  first = await run([few], { directory: template })
}, 60_000)
afterEach(async () => {
  await Promise.all(running.splice(0).map((demo) => demo.kill('SIGKILL')))
})
afterAll(() => {
  for (const folder of [home, many, few]) rmSync(folder, { recursive: true, force: true })
})

describe('the demo on the embedded database', () => {
  test('indexes each file once, with its row in the transaction that completes its job', async () => {
    expect(first).toMatchObject({ code: 0, stderr: '' })
    const { rows, letters } = await look(copyOfTemplate(), async (db) => ({
      rows: (await db.query('select * from millrace_demo.files')).rows,
      letters: await new Querier(db).list('demo-files-dead'),
    }))
    const byName = new Map(rows.map((row) => [path.basename(String(row['path'])), row]))
    expect(rows).toHaveLength(7) // large.bin is too large

    const content = Buffer.from('Line one of 2.\nLine two.\n')
    expect(byName.get('2.txt')).toMatchObject({
      path: path.join(few, 'notes', '2.txt'),
      kind: 'Plain text',
      bytes: content.length,
      gzip_bytes: gzipSync(content).length,
      lines: 2,
      sha256: createHash('sha256').update(content).digest('hex'),
    })
    expect(byName.get('open end.js')).toMatchObject({ kind: 'JavaScript', lines: 3 })
    expect(byName.get('empty.json')).toMatchObject({ kind: 'JSON', lines: 0, bytes: 0 })
    expect(byName.get('bits')).toMatchObject({ kind: 'Binaries', lines: null })
    expect(byName.get('évil \u001b[31m\n.d.ts')).toMatchObject({ kind: 'Declarations', lines: 1 })

    expect(letters).toMatchObject([
      { status: 'available', originQueue: 'demo-files', errorCount: 4, attempt: 0 },
    ])
    expect(letters[0]?.errors.map((error) => error.message)).toEqual(Array(4).fill(LOST))
  })

  test('shows a job that fails, is retried and ends among the dead letters', () => {
    for (const next of [
      '1 of 4, next in 250 ms',
      '2 of 4, next in 500 ms',
      '3 of 4, next in 1.0 s',
    ]) {
      expect(first.stdout).toContain(`✗ ${LOST}: run ${next}`)
    }
    expect(first.stdout).toContain(`✗ ${LOST}: run 4 of 4, to the dead letters`)
    expect(first.stdout).toMatch(/The dead letter\n {2}✗ .* job \d+, 4 runs in \d/)
  })

  test('ends with a summary, without an escape sequence where nobody sees a colour', () => {
    expect(first.stdout).toContain('✓ 7 files indexed in ')
    expect(first.stdout).toContain(', 1 failed\n')
    expect(first.stdout).toMatch(/Plain text +3 +75 B +\d+ B/)
    expect(first.stdout).toContain('11 runs for 8 jobs')
    for (const title of ['By kind', 'Largest', 'The dead letter', 'What it cost', 'Try next']) {
      expect(first.stdout).toContain(`\n  ${title}`)
    }
    expect(first.stdout).not.toContain('\u001b')
    expect(first.stdout).toContain('évil ·[31m·.d.ts')
  })

  test(
    'begins anew after a run that is over, stops at Ctrl-C, and goes on there',
    { timeout: PATIENCE_MS },
    async () => {
      const directory = copyOfTemplate()
      const demo = start([many], { directory })
      await demo.says('run 1 of 4')
      const [, dashboard = ''] = /Dashboard (http:\/\/127\.0\.0\.1:\d+)\n/.exec(demo.said) ?? []
      const page = await fetch(`${dashboard}/`, { headers: { accept: 'text/html' } })
      expect(await page.text()).toContain('demo-files')

      // It must not come to its end while the second one starts.
      process.kill(demo.pid, 'SIGSTOP')
      const second = await run([many], { directory })
      expect(second.code).toBe(1)
      expect(second.stderr).toContain(`process ${demo.pid}`)

      const stopping = demo.kill('SIGINT')
      process.kill(demo.pid, 'SIGCONT')
      const stopped = await stopping
      expect(stopped).toMatchObject({ code: 0, stderr: '' })
      const figures = /Stopped: (\d+) files? indexed, (\d+) failed; .*: (\d+) job/.exec(
        stopped.stdout,
      )
      const [indexed = 0, failed = 0, left = 0] = (figures ?? []).slice(1).map(Number)
      expect(indexed + failed + left).toBe(MANY + 1)
      expect(left).toBeGreaterThan(0)

      const resumed = await run([], { directory })
      expect(resumed.code).toBe(0)
      expect(resumed.stdout).toContain(`going on: ${indexed + failed} of ${MANY + 1} are done`)
      expect(resumed.stdout).toContain(`✓ ${MANY} files indexed, ${left} of them here in `)
      await expectEachOnce(directory)
    },
  )

  test(
    'goes on after kill -9, without waiting for the lease of the dead',
    { timeout: PATIENCE_MS },
    async () => {
      const directory = copyOfTemplate()
      const demo = start([many], { directory })
      await demo.says('run 1 of 4')
      await demo.kill('SIGKILL')

      const resumed = await run([], { directory })
      expect(resumed).toMatchObject({ code: 0, stderr: '' })
      expect(resumed.stdout).toContain('going on: ')
      expect(resumed.stdout).toContain(`✓ ${MANY} files indexed`)
      expect(resumed.stdout).not.toContain('was not heard of')
      await expectEachOnce(directory)
    },
  )

  test('gives an interrupted run up for another folder', { timeout: PATIENCE_MS }, async () => {
    const directory = copyOfTemplate()
    const demo = start([many], { directory })
    await demo.says('run 1 of 4')
    await demo.kill('SIGINT')
    const { code, stdout } = await run([few], { directory })
    expect(code).toBe(0)
    expect(stdout).toContain('✓ 7 files indexed in ')
    expect(stdout).toContain(', 1 failed\n')
  })
})

async function expectEachOnce(directory: string): Promise<void> {
  const found = await look(directory, async (db) => ({
    files: (await db.query('select count(*)::int4 as count from millrace_demo.files')).rows,
    queue: await new Querier(db).counts('demo-files'),
    deadLetters: await new Querier(db).counts('demo-files-dead'),
  }))
  expect(found).toMatchObject({
    files: [{ count: MANY }],
    queue: { available: 0, running: 0 },
    deadLetters: { available: 1 },
  })
}

describe('what is wrong is said in one sentence', () => {
  const closed = path.join(home, 'closed')
  const spoilt = path.join(home, 'spoilt')
  const notAUrl = 'DATABASE_URL is not the URL of a PostgreSQL'
  const bad: [name: string, args: string[], where: Where, code: number, sentence: string][] = [
    ['a folder that is not there', ['/not/there'], {}, 1, 'The folder /not/there is not there'],
    ['a file', [import.meta.filename], {}, 1, `${import.meta.filename} is a file`],
    ['two folders', ['a', 'b'], {}, 2, "Too many arguments for 'demo'"],
    ['an empty argument', [''], {}, 2, 'An argument is empty'],
    ['an unknown option', ['--files', '3'], {}, 2, `Unknown option '--files'. Try --help.`],
    ['JSON of what is for people', ['--json'], {}, 2, '--json goes with --sql only'],
    ['no URL', [], { databaseUrl: 'of-secret' }, 2, notAUrl],
    ['another URL', [], { databaseUrl: 'mysql://u:of-secret@h/d' }, 2, notAUrl],
    ['a % in it', [], { databaseUrl: 'postgres://u:of-secret%@h/d' }, 2, notAUrl],
    ['a file as database', [], { directory: spoilt }, 1, 'The folder of the embedded database'],
  ]
  test.each(bad)('%s', async (_name, args, where, code, sentence) => {
    if (where.directory !== undefined) {
      mkdirSync(spoilt)
      writeFileSync(path.join(spoilt, '.millrace'), 'a file')
    }
    const ended = await run(args, where)
    expect(ended.code).toBe(code)
    expect(ended.stderr).toContain(sentence)
    expect(ended.stderr.trim().split('\n')).toHaveLength(1)
    expect(ended.stdout + ended.stderr).not.toContain('of-secret')
  })

  // Nothing is closed to root: there the demo runs as nobody, as far as nobody may read this project.
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  test('a folder that may not be read', async ({ skip }) => {
    const help = await start(['--help'], {}, nobody).ended.catch(() => undefined)
    if (help?.code !== 0) skip('nobody may not read this project')
    mkdirSync(closed)
    chmodSync(closed, 0)
    chmodSync(home, 0o755)
    const { code, stderr } = await start([closed], {}, nobody).ended
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `The folder ${closed} may not be opened (EACCES).\n`,
    })
  })

  test('--help is no error', async () => {
    const { code, stdout } = await run(['--help'], {})
    expect(code).toBe(0)
    expect(stdout).toContain('Usage: millrace demo [options] [folder]')
  })
})
