import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { Child, type ExitStatus } from '../support/child-process.ts'
import { until } from '../support/until.ts'
import { codeBlocks, root } from './markdown.ts'

/*
 * What the README shows is what a reader copies. So each block is compiled by the project's own strict
 * settings against the built package, through its exports, and then run as a process of its own.
 */

const blocks = codeBlocks('README.md', 'ts')
const database = `millrace_readme_${process.pid}`
const admin = new Client({ connectionString: inject('databaseUrl') })
const children: Child[] = []
let folder: string
let databaseUrl: string

beforeAll(async () => {
  if (!existsSync(path.join(root, 'dist/index.js'))) throw new Error('Run `npm run build` first.')
  folder = await compile(blocks)
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
  rmSync(folder, { recursive: true, force: true })
  await admin.query(`drop database if exists ${database} with (force)`)
  await admin.end()
})

/** Starts a block, the first being 1. */
function run(block: number, ...args: string[]): Child {
  const child = new Child(path.join(folder, `out/block-${block}.js`), {
    args,
    env: { DATABASE_URL: databaseUrl },
  })
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
  test('has a test for each block', () => {
    expect(blocks).toHaveLength(3)
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
    const statements = codeBlocks('README.md', 'sql')
      .join('')
      .split(';')
      .filter((sql) => sql.trim() !== '')
    expect(statements).toHaveLength(2)
    await run(2).exited // a schema, whichever test runs first
    for (const statement of statements) expect(await rows(statement)).toBeInstanceOf(Array)
  })
})

/**
 * Compiles the blocks in a folder of the package, where `millrace` is the package itself, and which
 * neither lint nor the type check of the sources looks into.
 */
async function compile(sources: readonly string[]): Promise<string> {
  mkdirSync(path.join(root, 'build'), { recursive: true })
  const made = mkdtempSync(path.join(root, 'build/readme-'))
  for (const [index, source] of sources.entries()) {
    writeFileSync(path.join(made, `block-${index + 1}.ts`), source)
  }
  // Without the paths of the checkout: a user finds millrace through its package exports.
  const compilerOptions = { noEmit: false, rootDir: '.', outDir: 'out', paths: {} }
  const config = { extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }
  writeFileSync(path.join(made, 'tsconfig.json'), JSON.stringify(config))
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
  try {
    await promisify(execFile)(process.execPath, [compiler, '-p', made])
  } catch (error) {
    const { stdout } = error as { stdout?: string }
    throw new Error(`The code in the README does not compile:\n${stdout}`, { cause: error })
  }
  return made
}

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
