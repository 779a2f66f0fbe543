import { execFile, spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { Pool } from 'pg'
import { createDashboard, toNodeListener } from '../../src/dashboard/index.ts'
import { ROUTES } from '../../src/dashboard/api/routes.ts'
import { createSchema } from '../support/fixtures.ts'
import { isAsShown } from './expected.ts'
import { blocksOf, readPage } from './markdown.ts'

/* The curl commands of docs/http-api.md, one after the other, against a server with the answers that the page shows. */

const execute = promisify(execFile)
const page = 'docs/http-api.md'
const db = new Pool({ connectionString: inject('databaseUrl') })
const hasCurl = spawnSync('curl', ['--version']).status === 0
let stop: () => Promise<void>
let url: string

beforeAll(async () => {
  const schema = await createSchema(db, page)
  const auth = () => ({ role: 'admin', name: 'local' }) as const
  const server = createServer(toNodeListener(createDashboard(db, { auth, schema })))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  stop = async () => {
    await new Promise((resolve) => server.close(resolve))
    await db.query(`drop schema "${schema}" cascade`)
    await db.end()
  }
})

afterAll(() => stop())

test.skipIf(!hasCurl)('curl answers what the page shows', async () => {
  const blocks = blocksOf(page)
  const commands = blocks.filter(({ code }) => code.startsWith('curl '))
  expect(commands.length).toBeGreaterThan(4)
  for (const block of commands) {
    const shown = blocks[blocks.indexOf(block) + 1]
    const printed = await run(block.code.replaceAll('http://127.0.0.1:4000', url))
    const isFitting = isAsShown(printed, shown?.code ?? '')
    expect(isFitting, `${page}:${block.line} prints ${printed}`).toBe(true)
  }
})

test('the table of addresses has every one, with its role', () => {
  const rows = [...readPage(page).matchAll(/^\| `(\w+) (\/[^|]+) \| [^|]+ \| (\w+) \|$/gm)]
  const listed = rows.flatMap(([, method = '', paths = '', role]) => {
    const [first = '', ...others] = paths.replaceAll('`', '').trim().split(', ')
    const base = first.slice(0, first.lastIndexOf('/'))
    const all = [first, ...others.map((other) => `${base}${other}`)]
    return all.map((path) => `${method.toLowerCase()} ${path} ${role}`)
  })
  const served = ROUTES.map(({ method, path, role }) => `${method} ${path} ${role}`)
  expect(listed.toSorted()).toEqual(served.toSorted())
})

/** Each line of it, with a line's end behind what it prints. */
async function run(code: string): Promise<string> {
  const outputs: string[] = []
  for (const command of code.trimEnd().split('\n')) {
    const { stdout } = await execute('/bin/sh', ['-c', command])
    outputs.push(`${stdout}\n`)
  }
  return outputs.join('')
}
