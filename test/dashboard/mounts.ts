import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Hono } from 'hono'
import { toNodeListener, type Dashboard } from '../../src/dashboard/index.ts'

/* Everything that a dashboard is mounted in, below /admin/jobs, as the examples do it. */

/** The path of the mounts; dashboards have it as `basePath`. */
export const PREFIX = '/admin/jobs'

/** A dashboard that answers. */
export interface Mounted {
  /** Asks for a path of the whole server, as `fetch` does. */
  readonly ask: (path: string, init?: RequestInit) => Promise<Response>
  /** What listens, where something does; the others are called by somebody's server. */
  readonly listening: Listening | undefined
  /** Closes it as an application does that is told to stop: what is under way is answered. */
  readonly close: () => Promise<void>
}

/** A server that listens. */
export interface Listening {
  readonly server: Server
  readonly port: number
}

/** What is mounted: a dashboard, or something that answers as one. */
export type Fetching = Pick<Dashboard, 'fetch'>

/** Puts a dashboard below `PREFIX` of something. */
export type Mount = (dashboard: Fetching) => Promise<Mounted>

/** Those on `node:http`. */
export const NODE_MOUNTS: Readonly<Record<string, Mount>> = {
  'node:http': (dashboard) => listen(toNodeListener(dashboard)),
  Express: (dashboard) => listen(express().use(PREFIX, toNodeListener(dashboard))),
  'Express behind express.json()': (dashboard) => listen(behind(express.json(), dashboard)),
  'Express behind express.text()': (dashboard) =>
    listen(behind(express.text({ type: () => true }), dashboard)),
  'Express behind express.raw()': (dashboard) =>
    listen(behind(express.raw({ type: () => true }), dashboard)),
  Fastify: (dashboard) =>
    ready(dashboard, (app) => {
      app.removeAllContentTypeParsers()
      app.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null))
    }),
  'Fastify that reads bodies itself': (dashboard) => ready(dashboard, () => undefined),
}

/** All of them. */
export const MOUNTS: Readonly<Record<string, Mount>> = {
  ...NODE_MOUNTS,
  Hono: async (dashboard) => {
    const app = new Hono().all(`${PREFIX}/*`, ({ req }) => dashboard.fetch(req.raw))
    return called(async (request) => app.fetch(request))
  },
  'Next.js': async (dashboard) => called((request) => dashboard.fetch(request)),
}

function behind(parser: ReturnType<typeof express.json>, dashboard: Fetching): RequestListener {
  return express().use(parser).use(PREFIX, toNodeListener(dashboard))
}

async function listen(listener: RequestListener): Promise<Mounted> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () =>
    new Promise<void>((resolve, reject) =>
      server.close((error) => (error === undefined ? resolve() : reject(error))),
    )
  return asked(server, close)
}

async function ready(
  dashboard: Fetching,
  arrange: (app: FastifyInstance) => void,
): Promise<Mounted> {
  const app = fastify()
  const listener = toNodeListener(dashboard)
  const handOver = (request: FastifyRequest, reply: FastifyReply): void => {
    reply.hijack()
    listener(Object.assign(request.raw, { body: request.body }), reply.raw)
  }
  await app.register(async (scope) => {
    arrange(scope)
    scope.all(PREFIX, handOver)
    scope.all(`${PREFIX}/*`, handOver)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return asked(app.server, () => app.close())
}

function asked(server: Server, close: () => Promise<void>): Mounted {
  const { port } = server.address() as AddressInfo
  const ask: Mounted['ask'] = (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init)
  return { ask, listening: { server, port }, close }
}

function called(handle: (request: Request) => Promise<Response>): Mounted {
  const ask: Mounted['ask'] = (path, init) =>
    handle(new Request(`https://jobs.example.org${path}`, init))
  return { ask, listening: undefined, close: () => Promise.resolve() }
}
