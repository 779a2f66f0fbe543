import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server } from 'node:net'
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import type { Dashboard } from './dashboard.ts'
import { Refusal } from './refusal.ts'

type Answer = Pick<Response, 'status' | 'headers'> & { body: ReadableStream<Uint8Array> | null }

/** How often a stream of events looks whether its server still listens. */
const LOOK_EVERY_MS = 250

/**
 * Makes a dashboard a listener of `node:http`, and of what is built on it: `createServer(toNodeListener(dashboard))`, or
 * in Express, with the option `basePath: '/admin/jobs'`, `app.use('/admin/jobs', toNodeListener(dashboard))`.
 *
 * What a body parser has read is taken from the request's `body`. Each chunk of an answer is sent as it comes. A stream
 * of events ends when its reader goes, and when the server is closed.
 */
export function toNodeListener(
  dashboard: Pick<Dashboard, 'fetch'>,
): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  return (incoming, outgoing) => {
    answer(dashboard, incoming, outgoing).catch(() => outgoing.destroy()) // the other side is gone
  }
}

async function answer(
  dashboard: Pick<Dashboard, 'fetch'>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController()
  outgoing.once('close', () => gone.abort())
  const request = toRequest(incoming, gone.signal)
  if (request === undefined) {
    outgoing.writeHead(400, { connection: 'close' }).end()
    return
  }
  const { status, headers, body }: Answer = await dashboard.fetch(request)
  const isOfEvents = headers.get('content-type')?.startsWith('text/event-stream') === true
  if (isOfEvents) outgoing.shouldKeepAlive = false // else its connection would outlive it, and hold up a server that closes
  outgoing.writeHead(status, Object.fromEntries(headers))
  if (body === null) outgoing.end()
  else await send(body, outgoing, isOfEvents ? endOf(incoming, gone.signal) : gone.signal)
}

/** Sends each chunk as it comes. When the signal aborts, whoever makes the chunks is told, and the answer ends. */
async function send(
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const reader = body.getReader()
  // A chunk that is waited for is then the end; what fails in who makes them no longer concerns anybody.
  const cancel = (): void => void reader.cancel().catch(() => undefined)
  if (signal.aborted) cancel()
  else signal.addEventListener('abort', cancel, { once: true })
  outgoing.flushHeaders() // who reads events is connected before the first of them
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!outgoing.write(value)) await once(outgoing, 'drain', { signal })
  }
  outgoing.end()
}

/**
 * Aborts when the reader of a stream has gone, or its server is closed: `close` waits for every answer, and this one has
 * no end of its own. A server says nothing when it is closed, but it no longer listens.
 */
function endOf(incoming: IncomingMessage, gone: AbortSignal): AbortSignal {
  const end = new AbortController()
  const { server } = incoming.socket as { server?: Server }
  const hasClosed = (): boolean => server?.listening === false
  // One that never listened is handed its connections by somebody else.
  const timer = hasClosed() ? undefined : setInterval(() => hasClosed() && stop(), LOOK_EVERY_MS)
  const stop = (): void => {
    clearInterval(timer)
    end.abort()
  }
  timer?.unref()
  if (gone.aborted) stop()
  else gone.addEventListener('abort', stop, { once: true })
  return end.signal
}

/** Undefined where the request line or a header is nothing that a `Request` can be. */
function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request | undefined {
  const { method = 'GET', rawHeaders, headers } = incoming
  // Express takes a mount's path off `url`, and keeps the whole in `originalUrl`.
  const { originalUrl } = incoming as { originalUrl?: string }
  const path = originalUrl ?? incoming.url ?? ''
  if (!path.startsWith('/')) return undefined
  try {
    // Not resolved: `//elsewhere/api` is a path, as it is to a proxy before us, and a host says nothing of the path.
    const url = new URL(`http://localhost${path}`)
    if (headers.host !== undefined) url.host = headers.host
    const pairs: [string, string][] = []
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      pairs.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? ''])
    }
    const hasBody = method !== 'GET' && method !== 'HEAD'
    const body = hasBody ? bodyOf(incoming) : {}
    return new Request(url, { method, headers: pairs, signal, ...body })
  } catch {
    return undefined
  }
}

/** What the request carries. Who read it before us, such as `express.json()`, has left it in `body`: text, bytes, or read. */
function bodyOf(incoming: IncomingMessage): RequestInit {
  if (!incoming.readableEnded) return { body: Readable.toWeb(incoming), duplex: 'half' }
  const { body } = incoming as { body?: unknown }
  if (typeof body === 'string' || body instanceof Uint8Array) return { body }
  if (body !== undefined) return { body: JSON.stringify(body) }
  return carriesBody(incoming) ? { body: lostBody(), duplex: 'half' } : {}
}

function carriesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Fails whoever reads it. */
function lostBody(): ReadableStream {
  const message =
    'The body was read before the request came to the dashboard, and is not in `request.body`.'
  const remedy =
    'mount the dashboard before what reads bodies, or leave what was read in `request.body`'
  const error = new Refusal(500, 'BODY_ALREADY_READ', message, { field: 'body', remedy })
  return new ReadableStream({ start: (controller) => controller.error(error) })
}
