import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { isIPv6, type AddressInfo } from 'node:net'
import { toNodeListener, type Auth, type Dashboard } from '../dashboard/index.ts'
import { codeOf, Failure } from './failure.ts'

/** Where the dashboard is looked for. */
export const USUAL_PORT = 4_000
/** What is under way when it is told to stop is waited for so long. */
const LAST_ANSWERS_MS = 5_000

/** A dashboard that answers. */
export interface Serving {
  /** Without a slash at its end. */
  readonly url: string
  /** Resolves when what was under way has been answered. */
  end(): Promise<void>
}

/** Has a dashboard answer on a port of this machine; 0: any free one. */
export async function serve(
  dashboard: Pick<Dashboard, 'fetch'>,
  port: number,
  address: string,
): Promise<Serving> {
  const server = createServer(toNodeListener(dashboard))
  const listening = await listen(server, port, address)
  return {
    url: `http://${isIPv6(address) ? `[${address}]` : address}:${listening}`,
    end: async () => {
      const closed = once(server, 'close')
      server.close() // which ends the streams of pages, too
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS).unref()
      await closed
    },
  }
}

/** Everybody on this machine, but no web page that had its own name point here. */
export function openTo(host: string): { auth: Auth; hosts: string[] } {
  const name = isIPv6(host) ? `[${host}]` : host
  return {
    auth: () => ({ role: 'admin', name: 'local' }),
    hosts: ['localhost', '127.0.0.1', '[::1]', name],
  }
}

/** Resolves when the signal aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

async function listen(server: Server, port: number, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const reason = { EADDRINUSE: 'is in use', EACCES: 'may not be used' }[codeOf(error) ?? '']
      const sentence = `Port ${port} of ${address} ${reason ?? 'cannot be used'}. Pass another --port.`
      reject(new Failure(sentence, { cause: error }))
    })
    server.listen(port, address, () => resolve((server.address() as AddressInfo).port))
  })
}
