import { execFile, fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { driverFor } from '../../src/drivers/recognise.ts'
import { type EmbeddedDatabase, openEmbedded } from '../../src/embedded/index.ts'
import { listener } from '../drivers/conformance.ts'
import { failureOf } from '../drivers/failure.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-embedded-'))
const template = path.join(folder, 'template', 'of all')
const open: EmbeddedDatabase[] = []
const children: ChildProcess[] = []
let count = 0

beforeAll(async () => {
  // Made once and copied, as the making takes seconds.
  const db = await openEmbedded(template)
  await db.query('create table kept (word text not null)')
  await db.query('insert into kept values ($1)', ['template'])
  await db.close()
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await Promise.all(open.splice(0).map((db) => db.close()))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function newPath(): string {
  return path.join(folder, `db ${++count}`)
}
function copyOfTemplate(): string {
  const directory = newPath()
  cpSync(template, directory, { recursive: true })
  return directory
}
async function opened(directory?: string): Promise<EmbeddedDatabase> {
  const db = await openEmbedded(directory)
  open.push(db)
  return db
}
function locks(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.lock'))
}
function child(task: string, directory: string): ChildProcess {
  const process = fork(path.join(import.meta.dirname, '../support/children/embedded.mjs'), [
    task,
    directory,
  ])
  children.push(process)
  return process
}
async function word<T>(from: ChildProcess): Promise<T> {
  const [message] = (await once(from, 'message')) as [T]
  return message
}

describe('openEmbedded in memory', () => {
  test('is a DB: statements, transactions, notifications, until it is closed', async () => {
    const db = await opened()
    expect(db.directory).toBeUndefined()
    expect(driverFor(db)).toMatchObject({ name: 'PGlite', identity: db, isExclusive: true })
    const { rows } = await db.query('select $1::int4 as n, $2::jsonb as json', [1, { a: [1] }])
    expect(rows).toEqual([{ n: 1, json: { a: [1] } }])

    const heard = listener()
    const stop = new AbortController()
    await db.listen('news', heard.hear, { signal: stop.signal })
    await db.transaction((tx) => tx.query(`select pg_notify('news', $1)`, ['first']))
    expect(await heard.next()).toBe('first')
    stop.abort()
    await db.query(`select pg_notify('news', 'second')`)
    expect(heard.count()).toBe(1)
    await db.listen('news', heard.hear, { signal: stop.signal })
    await db.query(`select pg_notify('news', 'third')`)
    expect(heard.count()).toBe(1)

    const inside = await db.transaction(async () => [
      await failureOf(db.query('select 1')),
      await failureOf(db.transaction(async () => {})),
      await failureOf(db.close()),
    ])
    for (const error of inside) expect(error).toMatchObject({ code: 'INVALID_OPTION' })

    await Promise.all([db.close(), db[Symbol.asyncDispose]()])
    await expect(db.query('select 1')).rejects.toThrow('PGlite is closed')
  })
})

describe('openEmbedded on a directory', () => {
  test('makes it when it is missing, keeps what was written, and leaves no lock', async () => {
    expect(locks(template)).toEqual([])
    const directory = copyOfTemplate()
    const db = await opened(directory)
    expect(db.directory).toBe(directory)
    expect((await db.query('select word from kept')).rows).toEqual([{ word: 'template' }])
    await db.query(`insert into kept values ('again')`)
    expect(locks(directory)).toHaveLength(1)
    await db.close()
    expect(locks(directory)).toEqual([])
    const again = await opened(directory)
    expect((await again.query('select word from kept')).rows).toHaveLength(2)
  })

  test('refuses a second opening in this process, whatever the path is called', async () => {
    const directory = copyOfTemplate()
    const alias = newPath()
    symlinkSync(directory, alias)
    const first = await opened(directory)
    for (const name of [directory, alias, path.relative(process.cwd(), directory)]) {
      const error = await failureOf(openEmbedded(name))
      expect(error).toMatchObject({ code: 'EMBEDDED_IN_USE', details: { pid: process.pid } })
      expect(error.message).toContain(`this process (${process.pid})`)
    }
    await first.close()
    await opened(alias)
  })

  test("refuses a second process and names the owner's, then lets it in once that was killed", async () => {
    const directory = copyOfTemplate()
    const owner = child('write', directory)
    expect(await word(owner)).toEqual({ opened: owner.pid })
    const error = await failureOf(openEmbedded(directory))
    expect(error).toMatchObject({
      code: 'EMBEDDED_IN_USE',
      details: { pid: owner.pid, directory },
    })
    expect(error.message).toContain(`process ${owner.pid}`)

    const written: number[] = []
    owner.on('message', (message: { written: number }) => written.push(message.written))
    while (written.length < 50) await sleep(5)
    owner.kill('SIGKILL')
    await once(owner, 'exit')
    const db = await opened(directory)
    const { rows } = await db.query('select max(n) as last, count(*)::int4 as count from written')
    expect(rows[0]?.['last']).toBeGreaterThanOrEqual(written.length)
    expect(rows[0]?.['last']).toBe(rows[0]?.['count'])
    expect(locks(directory)).toHaveLength(1)
  })

  test('does not keep a process alive, nor the next one out when it left without closing', async () => {
    const directory = copyOfTemplate()
    const leaver = child('leave', directory)
    const [code] = (await once(leaver, 'exit')) as [number]
    expect(code).toBe(0)
    await opened(directory)
  })

  test('makes the database anew when its making was interrupted', async () => {
    const directory = newPath()
    const maker = child('write', directory)
    const data = path.join(directory, 'data')
    while (!readdirSafely(data).includes('base')) await sleep(1)
    maker.kill('SIGKILL')
    await once(maker, 'exit')
    expect(readdirSync(directory)).toContain('data.unfinished')
    const db = await opened(directory)
    expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(readdirSync(directory)).not.toContain('data.unfinished')
  })

  test('takes a folder that PGlite made itself as it is', async () => {
    const directory = newPath()
    cpSync(path.join(template, 'data'), directory, { recursive: true })
    const db = await opened(directory)
    expect((await db.query('select word from kept')).rows).toEqual([{ word: 'template' }])
    expect(readdirSync(directory)).not.toContain('data')
  })

  test('lets the directory go when the database in it cannot be opened', async () => {
    const directory = newPath()
    mkdirSync(path.join(directory, 'data'), { recursive: true })
    writeFileSync(path.join(directory, 'data', 'PG_VERSION'), '9.6\n')
    await failureOf(openEmbedded(directory))
    expect(locks(directory)).toEqual([])
  })

  test.each([null, 7, '', '  ', 'memory://', 'idb://x', 'a\0b', {}])(
    'refuses the directory %j',
    async (directory) => {
      const error = await failureOf(openEmbedded(directory as string))
      expect(error).toMatchObject({
        code: 'INVALID_OPTION',
        details: { option: 'directory', value: directory },
      })
    },
  )
})

test('openEmbedded without PGlite installed says what to install', async () => {
  // The built package in a folder from which no node_modules can be seen.
  const lonely = path.join(newPath(), 'dist')
  cpSync(path.join(import.meta.dirname, '../../dist'), lonely, { recursive: true })
  writeFileSync(path.join(lonely, 'package.json'), '{ "type": "module" }')
  const script = `
    import { openEmbedded } from ${JSON.stringify(`${lonely}/embedded/index.js`)}
    const error = await openEmbedded().catch((thrown) => thrown)
    console.log(error.code, error.message)`
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    script,
  ])
  expect(stdout).toContain('EMBEDDED_MISSING')
  expect(stdout).toContain('npm install @electric-sql/pglite')
})

function readdirSafely(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
