import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Dashboard } from './dashboard.ts'

/**
 * Makes a dashboard a listener of `node:http`, and of what is built on it: `createServer(toNodeListener(dashboard))`, or
 * in Express `app.use(toNodeListener(dashboard))` with the option `basePath`.
 */
export function toNodeListener(
  dashboard: Dashboard,
): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  return (incoming, outgoing) => {
    answer(dashboard, incoming, outgoing).catch(() => outgoing.destroy()) // the other side is gone
  }
}

async function answer(
  dashboard: Dashboard,
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
  const response = await dashboard.fetch(request)
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  if (response.body === null) outgoing.end()
  else await pipeline(Readable.fromWeb(response.body), outgoing)
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
    const body: RequestInit = hasBody ? { body: Readable.toWeb(incoming), duplex: 'half' } : {}
    return new Request(url, { method, headers: pairs, signal, ...body })
  } catch {
    return undefined
  }
}
