import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { Child, type ExitStatus } from '../support/child-process.ts'
import { until } from '../support/until.ts'
import { blocksOf } from './markdown.ts'
import { compilePages, programOf, type Programs } from './programs.ts'

/*
 * What the programs in the README do, beyond ending well: they need a receiver of webhooks, a signal,
 * a look into the tables. Its other blocks are run as those of every page, by blocks.test.ts.
 */

const blocks = blocksOf('README.md')
const programsInOrder = blocks.filter(
  ({ language, words }) => language === 'ts' && words.length === 0,
)
const database = `millrace_readme_${process.pid}`
const admin = new Client({ connectionString: inject('databaseUrl') })
const children: Child[] = []
let programs: Programs
let databaseUrl: string

beforeAll(async () => {
  programs = await compilePages(['README.md'])
  expect(programs.complaintsOf('README.md')).toEqual([])
  await admin.connect()
  await admin.query(`drop database if exists ${database} with (force)`)
  await admin.query(`create database ${database}`)
  const url = new URL(inject('databaseUrl'))
  url.pathname = `/${database}`
  databaseUrl = url.href
})

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.end()))
})

afterAll(async () => {
  programs.remove()
  await admin.query(`drop database if exists ${database} with (force)`)
  await admin.end()
})

/** Starts a program, the first being 1. */
function run(number: number, ...args: string[]): Child {
  const block = programsInOrder[number - 1]
  if (block === undefined) throw new Error(`The README has no program ${number}.`)
  const file = path.join(programs.folderOf('README.md'), programOf(block))
  const child = new Child(file, { args, env: { DATABASE_URL: databaseUrl } })
  children.push(child)
  return child
}

async function endOf(child: Child): Promise<ExitStatus & { output: string }> {
  return { ...(await child.exited), output: child.output }
}

async function rows(sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

describe('the code in the README', () => {
  test('has a test for each program', () => {
    expect(programsInOrder).toHaveLength(3)
  })

  test('delivers a webhook, again after a failure, and stops at SIGTERM', async () => {
    const receiver = await startReceiver([503, 200])
    const child = run(1, receiver.url)
    await until(() => receiver.seen.length === 2, { what: `the webhook (${child.output})` })
    child.kill('SIGTERM')
    expect(await endOf(child)).toMatchObject({ code: 0, signal: null })
    expect(child.output).toContain('Error: HTTP 503. It is retried in 2 s.')
    const [job = {}] = await rows('select * from millrace.history')
    expect(job).toMatchObject({ outcome: 'finished', attempt: 2, result: 200, error_count: 1 })
    expect(job['errors']).toMatchObject([{ attempt: 1, message: 'HTTP 503' }])
    expect(receiver.seen).toEqual([
      { key: job['id'], body: { event: 'order.paid', orderId: 42 } },
      { key: job['id'], body: { event: 'order.paid', orderId: 42 } },
    ])
    await receiver.close()
  })

  test('writes an invoice in the transaction that ends its job', async () => {
    const output = '{ finished: 1, failed: 0, retried: 0 }\n'
    expect(await endOf(run(2))).toEqual({ code: 0, signal: null, output })
    expect(
      await rows('select orders.id from orders join invoices on order_id = orders.id'),
    ).toHaveLength(1)
  })

  test('works without a server', async () => {
    expect(await endOf(run(3))).toEqual({ code: 0, signal: null, output: '49\n' })
  })

  test('asks psql what its tables can answer', async () => {
    const statements = blocks
      .flatMap(({ language, code }) => (language === 'sql' ? [code] : []))
      .join('')
      .split(';')
      .filter((sql) => sql.trim() !== '')
    expect(statements).toHaveLength(2)
    await run(2).exited // a schema, whichever test runs first
    for (const statement of statements) expect(await rows(statement)).toBeInstanceOf(Array)
  })
})

interface Receiver {
  readonly url: string
  readonly seen: { key: string | undefined; body: unknown }[]
  close(): Promise<void>
}

/** A receiver of webhooks that answers these statuses, one after the other. */
async function startReceiver(statuses: readonly number[]): Promise<Receiver> {
  const seen: Receiver['seen'] = []
  const server = createServer((request, response) => {
    void read(request).then((text) => {
      const key = request.headers['idempotency-key'] as string | undefined
      response.statusCode = statuses[seen.length] ?? 500
      seen.push({ key, body: JSON.parse(text) as unknown })
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/hook`, seen, close: () => close(server) }
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}
