import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import path from 'node:path'
import { expect, inject, vi } from 'vitest'
import { test as base, until } from '../support/fixtures.ts'
import { Millrace, millrace, type MillraceOptions } from './millrace.ts'

// Several processes, one after the other.
vi.setConfig({ testTimeout: 120_000 })

/** Starts `millrace dashboard` on a free port; ended with the test. */
const test = base.extend<{
  serve: (args?: string[], options?: MillraceOptions) => Promise<{ url: string; served: Millrace }>
}>({
  serve: async ({ schema }, use) => {
    const all: Millrace[] = []
    await use(async (args = [], options = {}) => {
      const served = new Millrace(['dashboard', '--port', '0', '--json', ...args], {
        schema,
        ...options,
      })
      all.push(served)
      const hasEnded = () => served.process.exitCode !== null
      const isReady = () => served.stdout.includes('}') || hasEnded()
      await until(isReady, { what: 'the address', withinMs: 100_000 })
      return { url: (JSON.parse(served.stdout) as { url: string }).url, served }
    })
    await Promise.all(all.map((served) => served.kill('SIGKILL')))
  },
})

/** As nobody's browser would send it: with any header. */
function send(url: string, method: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('it serves this machine until it is told to stop', async ({ serve, queue }) => {
  const { id } = await queue.enqueue({ to: 'ada' })
  const { url, served } = await serve()
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const job = await fetch(`${url}/api/jobs/${id}`)
  expect(await job.json()).toMatchObject({ id, args: { to: 'ada' } })
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ jobs: [{ args: 'ü'.repeat(100_000) }] })
  const posted = await fetch(`${url}/api/queues/default/jobs`, { method: 'POST', headers, body })
  expect(posted.status).toBe(201)
  expect(await queue.counts()).toMatchObject({ available: 2 })
  expect(await send(`${url}/api/queues`, 'HEAD', {})).toBe(200)
  expect(await send(`${url}/api/queues`, 'TRACE', {})).toBeGreaterThanOrEqual(400)
  expect(await served.kill('SIGTERM')).toMatchObject({ code: 0, signal: null })
})

test('it lives below a path, and a stream that somebody watches does not hold it', async ({
  serve,
  schema,
}) => {
  const { url, served } = await serve(['--base-path', '/admin/jobs/'])
  expect(url).toMatch(/:\d+\/admin\/jobs$/)
  const page = await fetch(`${url}/`, { headers: { accept: 'text/html' } })
  expect(await page.text()).toContain('href="/admin/jobs/workers"')
  expect((await fetch(`${url}/api/queues`)).status).toBe(200)
  const stream = await fetch(`${url}/`, { headers: { accept: 'text/event-stream' } })
  expect(stream.headers.get('content-type')).toBe('text/event-stream')
  expect(await served.kill('SIGTERM')).toMatchObject({ code: 0, signal: null })
  await stream.text() // it came to an end
  const refused = await millrace(['dashboard', '--base-path', 'no path'], { schema })
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain('basePath')
})

test('a page that had its name point here is refused', async ({ serve }) => {
  const { url } = await serve()
  const { port } = new URL(url)
  expect(await send(`${url}/api/queues`, 'GET', { host: `evil.example:${port}` })).toBe(403)
  expect(await send(`${url}/api/queues`, 'GET', { host: `localhost:${port}` })).toBe(200)
  expect(await send(`${url}/api/queues`, 'GET', { host: 'not a host' })).toBe(403)
  const headers = { 'content-type': 'application/json', origin: 'https://evil.example' }
  expect(await send(`${url}/api/queues/a`, 'PUT', headers)).toBe(403)
})

test('where others can reach it, it starts with users only', async ({ serve }) => {
  const refused = await millrace(['dashboard', '--host', '0.0.0.0', '--port', '0'])
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain('On 0.0.0.0 others can reach it')
  expect(refused.stderr).toContain('Pass --users')
  const file = path.join(inject('scratchFolder'), 'users.json')
  writeFileSync(file, '{"ada":{"password":"pass","role":"viewer"}}')
  const { url } = await serve(['--host', '0.0.0.0', '--users', file])
  const address = url.replace('0.0.0.0', '127.0.0.1')
  expect((await fetch(`${address}/api/queues`)).status).toBe(401)
  const authorization = `Basic ${btoa('ada:pass')}`
  expect((await fetch(`${address}/api/queues`, { headers: { authorization } })).status).toBe(200)
})

test('users may be named by the environment, and mistakes quote no password', async ({ serve }) => {
  const named = (users: string) => ({ env: { MILLRACE_DASHBOARD_USERS: users } })
  const { url } = await serve([], named('{"ada":{"password":"pass","role":"admin"}}'))
  expect((await fetch(`${url}/api/queues`)).status).toBe(401)
  for (const users of [
    '{"ada":"hunter2"',
    '{"ada":{"password":"hunter2","role":"root"}}',
    '["hunter2"]',
  ]) {
    const { code, stderr } = await millrace(['dashboard'], named(users))
    expect(code).toBe(2)
    expect(stderr).toContain('MILLRACE_DASHBOARD_USERS')
    expect(stderr).not.toContain('hunter2')
  }
  const missing = await millrace(['dashboard', '--users', 'nothing.json'])
  expect(missing).toMatchObject({ code: 2 })
  expect(missing.stderr).toContain('nothing.json is not there')
})

test('a port in use and a schema that is missing are said in a sentence', async ({ serve }) => {
  const { url } = await serve()
  const { port } = new URL(url)
  const taken = await millrace(['dashboard', '--port', port])
  expect(taken).toMatchObject({ code: 1 })
  const missing = await millrace(['dashboard', '--port', '0'], { schema: 'nowhere' })
  expect(missing).toMatchObject({ code: 1 })
  expect(missing.stderr).toContain('nowhere')
})
