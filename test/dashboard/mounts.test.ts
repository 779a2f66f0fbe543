import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, expect, test as plain } from 'vitest'
import { basicAuth, createDashboard, toNodeListener } from '../../src/dashboard/index.ts'
import { test as onDatabase, until } from '../support/fixtures.ts'
import { read } from './arrange.ts'
import { MOUNTS, NODE_MOUNTS, PREFIX, type Fetching, type Mount, type Mounted } from './mounts.ts'

type Use<T> = (value: T) => Promise<void>

/** Mounts, ended with the test whatever it left open. */
const mounting = {
  mounted: async (
    // oxlint-disable-next-line no-empty-pattern -- vitest wants a pattern to see what a fixture needs
    {}: object,
    use: Use<(mount: Mount, dashboard: Fetching) => Promise<Mounted>>,
  ) => {
    const all: Mounted[] = []
    await use(async (mount, dashboard) => {
      const made = await mount(dashboard)
      all.push(made)
      return made
    })
    for (const { listening } of all) {
      listening?.server.close()
      listening?.server.closeAllConnections()
    }
  },
}
const test = onDatabase.extend(mounting)
const testAlone = plain.extend(mounting)

const authorization = `Basic ${btoa('ada:secret')}`
const json = { authorization, 'content-type': 'application/json' }

describe.each(Object.entries(MOUNTS))('in %s', (_name, mount) => {
  test('it answers below the path, and takes bodies', async ({ db, schema, mounted }) => {
    const auth = basicAuth({ ada: { password: 'secret', role: 'admin' } })
    const dashboard = createDashboard(db, { auth, schema, basePath: PREFIX })
    const { ask } = await mounted(mount, dashboard)
    const refused = await ask(`${PREFIX}/api/queues`)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toContain('Basic')
    expect((await ask(PREFIX)).status).toBe(401) // by the dashboard, too
    const settings = { method: 'PUT', headers: json, body: '{"keepFinished":"1d"}' }
    expect((await ask(`${PREFIX}/api/queues/a%2Fb`, settings)).status).toBe(200)
    const args = { to: 'ädä 🏞', list: [1, { deep: '\\"' }] }
    const body = JSON.stringify({ jobs: [{ args }] })
    const posted = await ask(`${PREFIX}/api/queues/a%2Fb/jobs`, {
      method: 'POST',
      headers: json,
      body,
    })
    expect(posted.status).toBe(201)
    expect((await read(posted)).body.jobs[0]?.args).toEqual(args)
    const listed = await read(await ask(`${PREFIX}/api/queues?limit=10`, { headers: json }))
    expect(listed.body.queues.map(({ name }) => name)).toEqual(['a/b'])
    const described = await read(await ask(`${PREFIX}/openapi.json`, { headers: json }))
    expect(described.text).toContain(`"${PREFIX}`)
  })

  test('it says what is not there, and what is no body', async ({ db, schema, mounted }) => {
    const dashboard = createDashboard(db, { auth: () => 'admin', schema, basePath: PREFIX })
    const { ask } = await mounted(mount, dashboard)
    const unknown = await read(await ask(`${PREFIX}/nothing?at=all`))
    expect([unknown.status, unknown.body.error.code]).toEqual([404, 'NOT_FOUND'])
    const form = { method: 'PUT', body: new URLSearchParams({ keepFinished: '1d' }) }
    expect((await ask(`${PREFIX}/api/queues/a`, form)).status).toBe(415)
    const empty = await ask(`${PREFIX}/api/queues/default/resume`, { method: 'POST' })
    expect(empty.status).toBe(415)
  })

  testAlone('a stream comes chunk by chunk, and ends when its reader goes', async ({ mounted }) => {
    const { dashboard, events } = endless()
    const { ask } = await mounted(mount, dashboard)
    const leave = new AbortController()
    const response = await ask(`${PREFIX}/events`, { signal: leave.signal })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = readerOf(response)
    for (const text of ['one', 'two', 'three']) {
      events.send(text) // not before the one before it has been read
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(text)
    }
    leave.abort()
    await reader.cancel().catch(() => undefined)
    await until(() => events.isCancelled, { what: 'the end of the stream' })
  })
})

describe.each(Object.entries(NODE_MOUNTS))('on %s', (_name, mount) => {
  testAlone('a stream does not hold up a server that closes', async ({ mounted }) => {
    const { dashboard, events } = endless()
    const { ask, close } = await mounted(mount, dashboard)
    const response = await ask(`${PREFIX}/events`)
    events.send('one')
    const reader = readerOf(response)
    await reader.read()
    await close()
    expect(await reader.read()).toMatchObject({ done: true })
    expect(events.isCancelled).toBe(true)
  })

  test('a request that is cut off does nothing', async ({ db, schema, queue, log, mounted }) => {
    const at = (level: 'warn' | 'error') => (message: string) =>
      void log.push({ level, message, fields: undefined })
    const logger = { debug() {}, info() {}, warn: at('warn'), error: at('error') }
    const dashboard = createDashboard(db, { auth: () => 'admin', schema, basePath: PREFIX, logger })
    const { ask, listening } = await mounted(mount, dashboard)
    await queue.enqueue(1)
    const socket = await begin(listening?.port, '{"jobs":[{"args":2}')
    const connections = () =>
      new Promise<number>((resolve) =>
        listening?.server.getConnections((_, count) => resolve(count)),
      )
    await until(async () => (await connections()) === 1)
    socket.destroy()
    await until(async () => (await connections()) === 0)
    expect((await ask(`${PREFIX}/api/queues`)).status).toBe(200)
    expect(await queue.counts()).toMatchObject({ available: 1 })
    expect(log.filter(({ level }) => level === 'error')).toEqual([])
  })
})

describe('the listener', () => {
  testAlone('whoever comes too late for the reader is told', async ({ mounted }) => {
    const { dashboard, events } = endless()
    let isAsked = false
    const fetch: Fetching['fetch'] = (request) => {
      isAsked = true
      return new Promise((resolve) => {
        request.signal.addEventListener('abort', () => resolve(dashboard.fetch(request)))
      })
    }
    const { listening } = await mounted(NODE_MOUNTS['node:http'] as Mount, { fetch })
    const socket = await begin(listening?.port, '')
    await until(() => isAsked)
    socket.destroy()
    await until(() => events.isCancelled, { what: 'the end of the stream' })
  })

  testAlone('a reader that does not read is not written for', async ({ mounted }) => {
    let sent = 0
    const fetch: Fetching['fetch'] = async () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += 1
            controller.enqueue(new Uint8Array(65_536))
          },
        }),
      )
    const { listening } = await mounted(NODE_MOUNTS['node:http'] as Mount, { fetch })
    const socket = await begin(listening?.port, '')
    socket.pause()
    let before = 0
    await until(() => {
      const isSame = sent > 0 && sent === before
      before = sent
      return isSame
    })
    expect(sent).toBeLessThan(1_000)
    socket.destroy()
  })

  test('a body that somebody read and kept is said to be lost', async ({ db, schema }) => {
    const listener = toNodeListener(createDashboard(db, { auth: () => 'admin', schema }))
    const server = createServer((incoming, outgoing) => {
      incoming.resume().once('end', () => listener(incoming, outgoing))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    const put = { method: 'PUT', headers: json }
    const lost = await read(await fetch(`${url}/api/queues/a`, { ...put, body: '{}' }))
    expect([lost.status, lost.body.error.code]).toEqual([500, 'BODY_ALREADY_READ'])
    expect(lost.body.error.remedy).toContain('request.body')
    expect((await fetch(`${url}/api/queues/a`, put)).status).toBe(200) // there was none
    await new Promise((resolve) => server.close(resolve))
  })
})

/** A dashboard with one stream of events, which goes on until somebody cancels it. */
function endless() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const events = {
    isCancelled: false,
    send: (text: string): void => controller?.enqueue(new TextEncoder().encode(text)),
  }
  const fetch: Fetching['fetch'] = async () => {
    const body = new ReadableStream<Uint8Array>({
      start: (given) => void (controller = given),
      cancel: () => void (events.isCancelled = true),
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
  return { dashboard: { fetch }, events }
}

function readerOf({ body }: Response): ReadableStreamDefaultReader<Uint8Array> {
  return (body ?? new ReadableStream<Uint8Array>()).getReader()
}

/** Begins a request with a body of 1,000 bytes, and sends these of it. */
async function begin(port: number | undefined, sent: string): Promise<Socket> {
  const socket = connect({ port: port ?? 0, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  const head = [
    `POST ${PREFIX}/api/queues/default/jobs HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: application/json',
    'content-length: 1000',
  ]
  await new Promise<void>((resolve) => {
    socket.write(`${head.join('\r\n')}\r\n\r\n${sent}`, () => resolve())
  })
  return socket
}
