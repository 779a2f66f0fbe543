import { describe, expect, test as plain } from 'vitest'
import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basicAuth, createDashboard, toNodeListener, type Role } from '../../src/dashboard/index.ts'
import { ROUTES } from '../../src/dashboard/api/routes.ts'
import { test } from '../support/fixtures.ts'
import { adminApi, apiOf } from './arrange.ts'

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })

describe('who may come in', () => {
  test('it is not made without somebody who says so', ({ db }) => {
    // @ts-expect-error -- it is required
    expect(() => createDashboard(db, {})).toThrow(/"auth" is missing; pass basicAuth/)
    // @ts-expect-error -- a role alone says nothing of the request
    expect(() => createDashboard(db, { auth: 'admin' })).toThrow(/"auth" cannot be "admin"/)
    const auth = () => 'admin' as const
    expect(() => createDashboard(db, { auth, basePath: 'x' })).toThrow(/basePath/)
    expect(() => createDashboard(db, { auth, redact: ['args..x'] })).toThrow(/redact\[0\]/)
    expect(() => createDashboard(db, { auth, hosts: ['localhost:80'] })).toThrow(/hosts\[0\]/)
    // @ts-expect-error -- a misspelt option
    expect(() => createDashboard(db, { auth, redacted: [] })).toThrow(/did you mean "redact"/)
  })

  plain.each([
    [{}, /users/],
    [{ 'a:b': { password: 'x', role: 'admin' } }, /colon/],
    [{ ada: { password: '', role: 'admin' } }, /users\.ada\.password/],
    [{ ada: { password: 'x', role: 'root' } }, /users\.ada\.role/],
    [{ ada: { password: 'x', role: 'admin', name: 'y' } }, /users\.ada\.name/],
  ])('basicAuth refuses %j', (users, message) => {
    expect(() => basicAuth(users as never)).toThrow(message)
  })

  test('a name with its password, and nothing else', async ({ db, schema }) => {
    const auth = basicAuth({
      ada: { password: 'pass:wörd', role: 'viewer' },
      bob: { password: 'x', role: 'admin' },
    })
    const api = apiOf(createDashboard(db, { auth, schema }))
    const ask = async (headers: Record<string, string>) =>
      (await api('GET', '/api/queues', undefined, headers)).status
    expect(await ask(basic('ada:pass:wörd'))).toBe(200)
    for (const wrong of ['ada:pass', 'ada:', 'eve:x', 'bob:pass:wörd', '', ':']) {
      expect(await ask(basic(wrong))).toBe(401)
    }
    expect(await ask({ authorization: 'Bearer x' })).toBe(401)
    const refused = await api('GET', '/api/nothing')
    expect(refused.headers.get('www-authenticate')).toBe('Basic realm="millrace", charset="UTF-8"')
    expect(refused.body.error.code).toBe('UNAUTHENTICATED')
  })

  test('a function says it, and when it fails nobody comes in', async ({ db, schema, log }) => {
    const at = (level: 'warn' | 'error') => (message: string, fields?: object) =>
      void log.push({ level, message, fields: { ...fields } })
    const logger = { debug() {}, info() {}, warn: at('warn'), error: at('error') }
    const ask = async (auth: unknown) => {
      const dashboard = createDashboard(db, { auth: auth as never, schema, logger })
      return apiOf(dashboard)('GET', '/api/queues')
    }
    expect((await ask(() => null)).status).toBe(401)
    expect((await ask(async () => 'viewer')).status).toBe(200)
    for (const auth of [
      () => true,
      () => 'root',
      () => ({ role: 'admin', name: 7 }),
      () => {
        throw new Error('secret of the application')
      },
    ]) {
      const { status, body } = await ask(auth)
      expect(status).toBe(500)
      expect(body.error.code).toBe('INTERNAL')
      expect(JSON.stringify(body)).not.toContain('secret')
    }
    const [line] = log.filter(({ message }) => message.includes('secret of the application'))
    expect(line?.fields).toMatchObject({ method: 'GET', path: '/api/queues' })
  })

  test('each address asks for its role', async ({ db, schema }) => {
    const table: Record<Role, string[]> = { viewer: [], operator: [], admin: [] }
    for (const { id, role } of ROUTES) table[role].push(id)
    expect(table.admin.toSorted()).toEqual(['deleteJob', 'deleteJobs', 'listAudit', 'putQueue'])
    expect(ROUTES.filter(({ role, about }) => role === 'viewer' && about !== undefined)).toEqual([])
    for (const role of ['viewer', 'operator', 'admin'] as const) {
      const api = adminApi(db, schema, { auth: () => role })
      for (const route of ROUTES) {
        const path = route.path.replace('{queue}', 'none').replace('{id}', '1')
        const { status, body } = await api(route.method.toUpperCase(), path)
        const order = ['viewer', 'operator', 'admin']
        const mayNot = order.indexOf(role) < order.indexOf(route.role)
        expect([route.id, status === 403]).toEqual([route.id, mayNot])
        expect([route.id, body.error?.code === 'FORBIDDEN']).toEqual([route.id, mayNot])
      }
    }
  })
})

describe('what a browser is made to send', () => {
  test.for([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ 'sec-fetch-site': 'none' }, 200],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'http://localhost:4000' }, 200],
    [{ origin: 'http://localhost:4001' }, 403],
    [{}, 200],
  ] as const)('%j is answered with %d', async ([headers, status], { db, schema }) => {
    const api = adminApi(db, schema)
    expect((await api('PUT', '/api/queues/a', {}, { ...headers })).status).toBe(status)
    expect((await api('GET', '/api/queues', undefined, { ...headers })).status).toBe(200)
  })

  test('a form is refused, whatever it says that it is', async ({ db, schema }) => {
    const api = adminApi(db, schema)
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/json; charset=utf-16',
      'text/plain; application/json',
    ]) {
      const { status, body } = await api('PUT', '/api/queues/a', {}, { 'content-type': type })
      expect([type, status, body.error.field]).toEqual([type, 415, 'Content-Type'])
    }
    expect((await api('GET', '/api/queues')).body.queues).toEqual([])
  })

  test('where host names are given, others are refused for reads too', async ({ db, schema }) => {
    const api = adminApi(db, schema, { hosts: ['localhost', '[::1]'] })
    const ask = async (host: string) =>
      (await api('GET', '/api/queues', undefined, { host })).status
    expect(await ask('localhost:9')).toBe(200)
    expect(await ask('[::1]:4000')).toBe(200)
    expect(await ask('evil.example')).toBe(403)
    expect(await ask('localhost.evil.example:4000')).toBe(403)
  })
})

describe('what is wrong with a request', () => {
  test('is said in one shape, with the field', async ({ db, schema }) => {
    const api = adminApi(db, schema, { maxBodyBytes: 2_000 })
    await api('PUT', '/api/queues/a')
    const asked = async (method: string, path: string, body?: unknown) => {
      const answer = await api(method, path, body)
      const { code, field, message } = answer.body.error
      expect(message).toMatch(/\.$/)
      expect(answer.headers.get('cache-control')).toBe('no-store')
      return [answer.status, code, field].filter((each) => each !== undefined).join(' ')
    }
    const jobs = '/api/queues/a/jobs'
    expect(await asked('POST', jobs, '{"jobs":')).toBe('400 INVALID_JSON body')
    expect(await asked('POST', jobs, '[]')).toBe('400 INVALID_OPTION body')
    expect(await asked('POST', jobs, {})).toBe('400 INVALID_OPTION jobs')
    expect(await asked('POST', jobs, { jobs: [{}] })).toBe('400 INVALID_OPTION jobs[0].args')
    expect(await asked('POST', jobs, { jobs: [{ args: 1, retries: 2 }] })).toBe(
      '400 INVALID_OPTION jobs[0].retries',
    )
    expect(await asked('POST', jobs, { jobs: [{ args: 1, __proto__x: 2 }] })).toBe(
      '400 INVALID_OPTION jobs[0].__proto__x',
    )
    expect(await asked('POST', jobs, '{"jobs":[{"args":1,"__proto__":{"priority":1}}]}')).toBe(
      '400 INVALID_OPTION jobs[0].__proto__',
    )
    expect(await asked('POST', jobs, { jobs: [{ args: 1, delay: 'soon' }] })).toBe(
      '400 INVALID_OPTION jobs[0].delay',
    )
    expect(await asked('POST', jobs, { jobs: [{ args: 1, runAt: '2030-01-01' }] })).toBe(
      '400 INVALID_OPTION jobs[0].runAt',
    )
    expect(await asked('POST', jobs, { jobs: [{ args: '\u0000' }] })).toBe(
      '400 INVALID_ARGS jobs[0].args',
    )
    expect(await asked('POST', jobs, { jobs: [{ args: 'x'.repeat(3_000) }] })).toBe(
      '413 BODY_TOO_LARGE',
    )
    expect(await asked('POST', '/api/queues/b/jobs', { jobs: [{ args: 1 }] })).toBe(
      '404 QUEUE_NOT_FOUND',
    )
    expect(await asked('PUT', '/api/queues/a', { fifo: true })).toBe('409 QUEUE_MODE_MISMATCH')
    expect(await asked('PUT', '/api/queues/a', { dlq: 'a' })).toBe('400 INVALID_OPTION dlq')
    expect(await asked('PUT', `/api/queues/${'x'.repeat(201)}`)).toBe('400 INVALID_OPTION queue')
    expect(await asked('GET', `${jobs}?__proto__=x`)).toBe('400 INVALID_OPTION __proto__')
    expect(await asked('GET', '/api/queues/%00')).toBe('404 QUEUE_NOT_FOUND')
    expect(await asked('GET', '/api/queues/%FF/jobs')).toBe('404 QUEUE_NOT_FOUND')
    for (const id of ['x', '-1', '01', '99999999999999999999', '1%00', '1e3']) {
      expect(await asked('GET', `/api/jobs/${id}`)).toBe('400 INVALID_JOB_ID')
      expect(await asked('POST', `/api/jobs/${id}/cancel`)).toBe('400 INVALID_JOB_ID')
    }
    expect(await asked('POST', '/api/queues/a/cancel', { ids: ['x'] })).toBe('400 INVALID_JOB_ID')
    expect(await asked('POST', '/api/queues/a/cancel', { ids: [1] })).toBe(
      '400 INVALID_OPTION ids[0]',
    )
    expect(await asked('POST', '/api/queues/a/cancel', { ids: ['1'], all: true })).toBe(
      '400 INVALID_OPTION all',
    )
    expect(await asked('POST', '/api/queues/a/redrive', { all: true, args: 1 })).toBe(
      '400 INVALID_OPTION args',
    )
    expect(await asked('POST', '/api/queues/a/cancel', { all: true, args: 1 })).toBe(
      '400 INVALID_OPTION args',
    )
    expect(await asked('GET', `${jobs}?limit=0`)).toBe('400 INVALID_OPTION limit')
    expect(await asked('GET', `${jobs}?limit=1&limit=2`)).toBe('400 INVALID_OPTION limit')
    expect(await asked('GET', `${jobs}?limit=ten`)).toBe('400 INVALID_OPTION limit')
    expect(await asked('GET', `${jobs}?page=2`)).toBe('400 INVALID_OPTION page')
    expect(await asked('GET', `${jobs}?status=lost`)).toBe('400 INVALID_OPTION status')
    expect(await asked('GET', `${jobs}?metadata={`)).toBe('400 INVALID_OPTION metadata')
    expect(await asked('GET', `${jobs}?olderThan=x`)).toBe('400 INVALID_OPTION olderThan')
    expect(await asked('GET', '/api/nothing')).toBe('404 NOT_FOUND')
    expect(await asked('OPTIONS', '/api/queues')).toBe('405 METHOD_NOT_ALLOWED')
    const { headers } = await api('PATCH', '/api/queues/a')
    expect(headers.get('allow')).toBe('GET, PUT')
  })

  test('a cursor of another list, or that nobody wrote, is refused', async ({
    db,
    schema,
    queue,
  }) => {
    const api = adminApi(db, schema)
    await queue.enqueueMany([{ args: 1 }, { args: 2 }])
    const list = '/api/queues/default/jobs'
    const { next } = (await api('GET', `${list}?limit=1`)).body
    const forged = Buffer.from('["jobs","1; drop table x"]').toString('base64url')
    for (const address of [
      `${list}?order=oldest&cursor=${next}`,
      `${list}?status=failed&cursor=${next}`,
      `/api/queues?cursor=${next}`,
      `/api/audit?cursor=${next}`,
      `/api/workers?cursor=${next}`,
      ...['', 'x', 'bnVsbA', forged, '%00'].map((cursor) => `${list}?cursor=${cursor}`),
    ]) {
      const { status, body } = await api('GET', address)
      expect([address, status, body.error?.code]).toEqual([address, 400, 'INVALID_CURSOR'])
    }
  })

  test('a body that never ends is given up when it is too large', async ({ db, schema }) => {
    const dashboard = createDashboard(db, { auth: () => 'admin', schema, maxBodyBytes: 5_000 })
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        sent += 1_000
        controller.enqueue(new Uint8Array(1_000).fill(32))
      },
    })
    const headers = { 'content-type': 'application/json' }
    const init = { method: 'PUT', headers, body, duplex: 'half' } as const
    const response = await dashboard.fetch(new Request('http://localhost/api/queues/a', init))
    expect(response.status).toBe(413)
    expect(sent).toBeLessThan(10_000)
  })

  test('arguments that are nested deeply are stored or refused, but never break it', async ({
    db,
    schema,
  }) => {
    const api = adminApi(db, schema)
    await api('PUT', '/api/queues/a')
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
    const { status, body } = await api('POST', '/api/queues/a/jobs', `{"jobs":[{"args":${deep}}]}`)
    expect([400, 413]).toContain(status)
    expect(body.error.code).toMatch(/^(INVALID_ARGS|ARGS_TOO_LARGE|INVALID_OPTION)$/)
  })

  test('what nobody expected leaves by its id alone, and is logged', async ({
    db,
    schema,
    rows,
  }) => {
    const lines: { message: string; fields: unknown }[] = []
    const error = (message: string, fields: unknown) => void lines.push({ message, fields })
    const logger = { debug() {}, info() {}, warn() {}, error }
    const api = adminApi(db, schema, { logger })
    await rows('alter table {schema}.workers drop column host')
    const { status, body } = await api('GET', '/api/workers')
    expect(status).toBe(500)
    expect(body.error).toMatchObject({ code: 'INTERNAL', message: 'Something went wrong.' })
    expect(JSON.stringify(body)).not.toContain('host')
    expect(lines[0]?.message).toContain(body.error.id)
    expect(lines[0]?.message).toContain('host')
  })

  test('a schema that is not there, or not up to date, is said to be', async ({
    db,
    schema,
    rows,
  }) => {
    const missing = await adminApi(db, 'nowhere')('GET', '/api/queues')
    expect([missing.status, missing.body.error.code]).toEqual([503, 'SCHEMA_MISSING'])
    await rows('delete from {schema}.migrations where version > 1')
    const api = adminApi(db, schema)
    const outdated = await api('GET', '/api/queues')
    expect([outdated.status, outdated.body.error.code]).toEqual([503, 'SCHEMA_OUTDATED'])
    await rows(
      `insert into {schema}.migrations (version, name, oldest_code) values (1000, 'next', 1)`,
    )
    expect((await api('GET', '/api/queues')).status).toBe(200)
  })
})

test('it works below a path', async ({ db, schema }) => {
  const api = adminApi(db, schema, { basePath: '/admin/jobs/' })
  expect((await api('GET', '/admin/jobs/api/queues')).status).toBe(200)
  expect((await api('GET', '/api/queues')).status).toBe(404)
})

test('answers are nobody else’s', async ({ db, schema }) => {
  const { headers } = await adminApi(db, schema)('GET', '/api/queues')
  expect(Object.fromEntries(headers)).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'content-type': 'application/json',
  })
})

test('what stands in the request line is a path, whatever it and the host look like', async ({
  db,
  schema,
}) => {
  const server = createServer(
    toNodeListener(createDashboard(db, { auth: () => 'admin', schema, hosts: ['127.0.0.1'] })),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const ask = (path: string, host = `127.0.0.1:${port}`): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const sent = send({ host: '127.0.0.1', port, path, headers: { host } }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
      sent.on('error', reject)
      sent.end()
    })
  expect(await ask('/api/queues')).toBe(200)
  expect(await ask('//evil.example/api/queues')).toBe(404)
  expect(await ask(`http://127.0.0.1:${port}/api/queues`)).toBe(400)
  expect(await ask('*')).toBe(400)
  expect(await ask('/', `127.0.0.1:${port}/api/queues?`)).toBe(403)
  expect(await ask('/', 'not a host')).toBe(403)
  await new Promise((resolve) => server.close(resolve))
})
