import { once } from 'node:events'
import * as net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Which way bytes go, seen from the application. */
export type Direction = 'toServer' | 'toClient'

/** What becomes of a piece of traffic. A cut says goodbye (FIN), a reset does not (RST). */
export type Fate = 'forward' | 'swallow' | 'cut' | 'reset'

/** Decides over each piece of traffic, in the order of arrival. */
export type Rule = (chunk: Buffer, direction: Direction, connection: ProxiedConnection) => Fate

/** A network between an application and a PostgreSQL that can be made as bad as a test needs. */
export interface TcpProxy extends AsyncDisposable {
  /** The database's URL with the proxy's address in it. */
  readonly url: string
  readonly port: number
  /** The connections that are open at the application's end, the oldest first. */
  readonly connections: readonly ProxiedConnection[]
  /** How many connections were ever accepted. */
  readonly accepted: number
  /** What happens to traffic of all connections, new ones too. @default forwards everything */
  rule: Rule
  /** Milliseconds by which each piece of traffic is late, both ways, in order. @default 0 */
  delayMs: number
  /**
   * What happens to new connections: they are carried to the server, closed at once, or accepted and then
   * left without a single byte. @default 'carry'
   */
  newcomers: 'carry' | 'refuse' | 'ignore'
  /** From now on the connections of this moment (not later ones) say nothing any more, and stay open. */
  silence(direction?: Direction): void
  /** Closes all connections of this moment. @default 'cut' */
  cut(how?: 'cut' | 'reset'): void
  /**
   * Cuts the connection on which the application sends `fragment` when the server's answer arrives, so that the
   * statement was carried out and nobody hears of it. Resolves when that happened; once only.
   */
  cutAnswerTo(fragment: string, how?: 'cut' | 'reset'): Promise<void>
  /** Carries connections from now on to another server, and closes those of this moment. */
  pointTo(databaseUrl: string): void
  close(): Promise<void>
}

/** Starts a proxy in front of the server that a `postgres://` URL names. */
export async function startTcpProxy(databaseUrl: string): Promise<TcpProxy> {
  const target = new URL(databaseUrl)
  const proxy = new RunningProxy(target)
  await proxy.listen()
  return proxy
}

// oxlint-disable-next-line no-control-regex -- the protocol ends its strings by zeros
const PARSE = /(millrace_[0-9a-f]{24})\u0000([^\u0000]+)\u0000/g

/** One connection of the application, with its other half to the server. */
export class ProxiedConnection {
  /** Directions in which nothing passes any more. */
  readonly silenced = new Set<Direction>()
  readonly #client: net.Socket
  readonly #server: net.Socket | undefined
  /** Texts of prepared statements by their names. */
  readonly #prepared = new Map<string, string>()

  constructor(client: net.Socket, server: net.Socket | undefined) {
    this.#client = client
    this.#server = server
  }

  /** Whether the application sends a statement with this fragment in it, be it by the name under which it is prepared. */
  sends(chunk: Buffer, fragment: string): boolean {
    if (chunk.includes(fragment)) return true
    return [...this.#prepared].some(
      ([name, text]) => text.includes(fragment) && chunk.includes(name),
    )
  }

  /** Learns which statements are prepared under which names: a Parse message has both, ended by zeros. */
  learn(chunk: Buffer): void {
    if (!chunk.includes('millrace_')) return
    for (const [, name = '', text = ''] of chunk.toString('latin1').matchAll(PARSE))
      this.#prepared.set(name, text)
  }

  /** Ends both halves, with or without a goodbye. */
  end(how: 'cut' | 'reset'): void {
    for (const socket of [this.#client, this.#server]) {
      if (how === 'reset') socket?.resetAndDestroy()
      else socket?.destroySoon()
    }
  }
}

class RunningProxy implements TcpProxy {
  rule: Rule = () => 'forward'
  delayMs = 0
  newcomers: 'carry' | 'refuse' | 'ignore' = 'carry'
  accepted = 0
  #target: URL
  readonly #server = net.createServer({ allowHalfOpen: true })
  readonly #connections = new Set<ProxiedConnection>()
  readonly #sockets = new Set<net.Socket>()

  constructor(target: URL) {
    this.#target = target
    this.#server.on('connection', (client) => this.#accept(client))
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port
  }

  get url(): string {
    const url = new URL(this.#target)
    url.hostname = '127.0.0.1'
    url.port = String(this.port)
    return url.href
  }

  get connections(): readonly ProxiedConnection[] {
    return [...this.#connections]
  }

  silence(direction?: Direction): void {
    for (const connection of this.#connections) {
      for (const one of direction === undefined ? DIRECTIONS : [direction]) {
        connection.silenced.add(one)
      }
    }
  }

  cut(how: 'cut' | 'reset' = 'cut'): void {
    for (const connection of this.#connections) connection.end(how)
  }

  cutAnswerTo(fragment: string, how: 'cut' | 'reset' = 'cut'): Promise<void> {
    const before = this.rule
    let asker: ProxiedConnection | undefined
    return new Promise((resolve) => {
      this.rule = (chunk, direction, connection) => {
        if (direction === 'toServer') {
          if (connection.sends(chunk, fragment)) asker ??= connection
          return before(chunk, direction, connection)
        }
        if (connection !== asker) return before(chunk, direction, connection)
        this.rule = before
        resolve()
        return how
      }
    })
  }

  pointTo(databaseUrl: string): void {
    this.#target = new URL(databaseUrl)
    this.cut('reset')
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accept(client: net.Socket): void {
    this.accepted += 1
    this.#keep(client)
    if (this.newcomers === 'refuse') {
      client.resetAndDestroy()
      return
    }
    if (this.newcomers === 'ignore') {
      client.resume()
      client.on('end', () => client.destroy()) // the application has gone
      this.#remember(client, new ProxiedConnection(client, undefined))
      return
    }
    const server = net.connect({
      host: this.#target.hostname,
      port: Number(this.#target.port || 5432),
      allowHalfOpen: true,
    })
    this.#keep(server)
    const connection = new ProxiedConnection(client, server)
    this.#remember(client, connection)
    this.#carry(client, server, 'toServer', connection)
    this.#carry(server, client, 'toClient', connection)
  }

  #keep(socket: net.Socket): void {
    socket.setNoDelay(true)
    socket.on('error', () => {}) // resets are this proxy's trade
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
  }

  #remember(client: net.Socket, connection: ProxiedConnection): void {
    this.#connections.add(connection)
    client.on('close', () => this.#connections.delete(connection))
  }

  #carry(
    from: net.Socket,
    to: net.Socket,
    direction: Direction,
    connection: ProxiedConnection,
  ): void {
    let line = Promise.resolve() // keeps delayed traffic in order
    const pass = (deliver: () => void): void => {
      if (this.delayMs === 0) return void (line = line.then(deliver))
      const dueAt = performance.now() + this.delayMs
      line = line.then(() => sleep(Math.max(0, dueAt - performance.now()))).then(deliver)
    }
    from.on('data', (chunk) => pass(() => this.#deliver(chunk, to, direction, connection)))
    // A goodbye is traffic too: a silenced connection does not hear of it.
    from.on('end', () => pass(() => void (connection.silenced.has(direction) || to.end())))
    from.on('close', () =>
      pass(() => void (connection.silenced.has(direction) || to.destroySoon())),
    )
  }

  #deliver(
    chunk: Buffer,
    to: net.Socket,
    direction: Direction,
    connection: ProxiedConnection,
  ): void {
    if (connection.silenced.has(direction)) return
    if (direction === 'toServer') connection.learn(chunk)
    const fate = this.rule(chunk, direction, connection)
    if (fate === 'forward') to.write(chunk)
    else if (fate !== 'swallow') connection.end(fate)
  }
}

const DIRECTIONS = ['toServer', 'toClient'] as const
