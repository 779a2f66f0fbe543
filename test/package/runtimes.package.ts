import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { until } from '../support/until.ts'
import { compile, readmePrograms } from './compile.ts'
import { createDatabase } from './databases.ts'
import { Program, run } from './program.ts'

const full = inject('fullFolder')
const bare = inject('bareFolder')
const programs = readmePrograms().map((code, index) => ({ code, file: `program-${index + 1}` }))
const worker = programs.find(({ code }) => code.includes('SIGTERM'))
const others = programs.filter((program) => program !== worker)
const { bin, version } = JSON.parse(
  readFileSync(path.join(bare, 'node_modules/millrace/package.json'), 'utf8'),
) as { bin?: { millrace?: string }; version: string }
const command = bin?.millrace
let compiled: string

beforeAll(async () => {
  const files = Object.fromEntries(programs.map(({ code, file }) => [`${file}.ts`, code]))
  const settings = { module: 'nodenext', types: ['node'] }
  const { complaints, output } = await compile(full, 'readme', files, settings)
  expect(complaints).toBe('')
  compiled = output
  writeFileSync(path.join(full, 'doors.cjs'), DOORS)
  writeFileSync(path.join(full, 'kept.mjs'), KEPT)
  writeFileSync(path.join(bare, 'missing.mjs'), MISSING)
})

/** Requires every door, and compares it with what an import gets. */
const DOORS = `
const doors = ['millrace', 'millrace/embedded', 'millrace/otel']
const namesOf = (door) => Object.keys(door).filter((name) => name !== '__esModule').sort().join(' ')
const required = doors.map((door) => namesOf(require(door)))
Promise.all(doors.map((door) => import(door))).then((imported) => {
  const isSame = imported.map(namesOf).join() === required.join()
  console.log(isSame && required.every((names) => names !== '') ? 'the same' : required)
})`

/** Without the optional peers. */
const MISSING = `
import { openEmbedded } from 'millrace/embedded'
await openEmbedded().catch(({ code, message }) => console.log(code + ': ' + message))
await import('millrace/otel').catch(({ message }) => console.log(message))`

/** In a directory that belongs to one process. */
const KEPT = `
import { JobQueue, migrateUp } from 'millrace'
import { openEmbedded } from 'millrace/embedded'
const folder = process.argv[2]
const db = await openEmbedded(folder)
await openEmbedded(folder).catch(({ code }) => console.log(code))
await migrateUp(db)
const queue = new JobQueue(db, (job) => console.log(job.args))
await queue.enqueue('kept')
await queue.drain()
await db.close()`

describe.concurrent.each(inject('runtimes'))('$name', ({ name, program }) => {
  const runtime = program ?? ''

  test.skipIf(program === null)('requires and imports every door, and gets the same', async () => {
    const ended = await run('doors.cjs', { runtime, folder: full })
    expect(ended).toEqual({ code: 0, output: 'the same' })
  })

  test.skipIf(program === null)('says what is missing without the optional peers', async () => {
    const { code, output } = await run('missing.mjs', { runtime, folder: bare })
    const [embedded, otel] = output.split('\n')
    expect(code).toBe(0)
    expect(embedded).toBe(
      'EMBEDDED_MISSING: The embedded database needs @electric-sql/pglite; run: npm install @electric-sql/pglite',
    )
    expect(otel).toContain("Cannot find package '@opentelemetry/api'")
  })

  test.skipIf(program === null || command === undefined)('runs the command', async () => {
    // By the link that npm makes, but on Windows, where it is a script of a shell.
    const link = process.platform === 'win32' ? `millrace/${command}` : '.bin/millrace'
    const file = path.join(bare, 'node_modules', link)
    const ended = await run(file, { runtime, folder: bare, args: ['--version'] })
    expect(ended).toEqual({ code: 0, output: version })
  })

  test.skipIf(program === null).each(others)('runs $file of the README', async ({ file }) => {
    const databaseUrl = await createDatabase(`${name} ${file}`)
    const ended = await run(path.join(compiled, `${file}.js`), {
      runtime,
      folder: full,
      databaseUrl,
    })
    expect(ended).toMatchObject({ code: 0 })
    expect(ended.output).not.toBe('')
    expect(ended.output).not.toMatch(/warn|error/i)
  })

  test.skipIf(program === null || worker === undefined)(
    'delivers the webhook of the README, and stops at SIGTERM',
    async () => {
      const seen: string[] = []
      const server = createServer((request, response) => {
        seen.push(String(request.headers['idempotency-key']))
        response.end()
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const child = new Program(path.join(compiled, `${worker?.file}.js`), {
        runtime,
        folder: full,
        args: [`http://127.0.0.1:${port}/hook`],
        databaseUrl: await createDatabase(`${name} webhook`),
      })
      await until(() => seen.length > 0, {
        what: `the webhook (${child.output})`,
        withinMs: 60_000,
      })
      child.kill('SIGTERM')
      expect({ code: await child.ended, output: child.output }).toMatchObject({ code: 0 })
      expect(seen).toEqual(['1'])
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  )

  // Who a process is, which the lock asks, is a question of the runtime; all tests of it run on Node 20.
  const isNew = /^(Bun|Node 24)/.test(name)
  test.skipIf(program === null || !isNew)(
    'owns the directory of an embedded database',
    async () => {
      const args = [`kept by ${name}`]
      const ended = await run('kept.mjs', { runtime, folder: full, args })
      expect(ended).toEqual({ code: 0, output: 'EMBEDDED_IN_USE\nkept' })
    },
  )
})
