import { Hono } from 'hono'
import { EventBus } from '../core/event-bus.ts'
import { logEvents } from '../core/logger.ts'
import type { Database } from '../drivers/database.ts'
import { driverFor } from '../drivers/recognise.ts'
import { engineFor } from '../engine.ts'
import { checkSchema } from '../migrations/check.ts'
import { Querier } from '../querier.ts'
import { describeApi } from './api/openapi.ts'
import { ROUTES } from './api/routes.ts'
import { Audit } from './audit.ts'
import { authenticate, mayActAs, type Actor } from './auth.ts'
import { readBody } from './body.ts'
import { answerFailure, type AnsweredFailure } from './failures.ts'
import { answerPage, isForPerson } from './failure-page.ts'
import { checkHost, checkOrigin, SAFE_HEADERS } from './guards.ts'
import {
  resolveDashboardOptions,
  type DashboardOptions,
  type ResolvedDashboardOptions,
} from './options.ts'
import { PageServer, type Env } from './page-server.ts'
import { notFound, Refusal } from './refusal.ts'
import { checkBody, methodNotAllowed, readQuery } from './requests.ts'
import type { Answer, Parts, Route } from './route.ts'

/** What answers requests: `fetch` fits wherever a fetch-style handler does, `toNodeListener` makes it fit `node:http`. */
export interface Dashboard {
  fetch(request: Request): Promise<Response>
  /** Ends the streams that keep open pages true, so that a server can stop. Pages open them again where it answers. */
  close(): void
}

/**
 * The dashboard over HTTP: pages for people, and the JSON API on which they stand. It lists, counts, pauses and steers
 * queues and jobs, enqueues, and answers logs, statistics and metrics. It does no I/O before the first request.
 *
 * @throws MillraceError `INVALID_DATABASE`, `INVALID_OPTION`
 *
 * @example
 * const dashboard = createDashboard(db, {
 *   auth: basicAuth({ ada: { password: process.env.DASHBOARD_PASSWORD, role: 'admin' } }),
 * })
 * createServer(toNodeListener(dashboard)).listen(4000)
 */
export function createDashboard(db: Database, options: DashboardOptions): Dashboard {
  const resolved = resolveDashboardOptions(options)
  const { auth, hosts, schema, redactor, logger } = resolved
  const engine = engineFor(driverFor(db), schema)
  const parts = { store: engine.store, engine, redactor, querier: new Querier(db, { schema }) }
  const events = new EventBus()
  logEvents(events, logger)
  const pages = new PageServer(parts, resolved.basePath)
  const routes = mount(parts, new Audit(engine.store, events), pages, resolved)
  const failureParts = { store: engine.store, events, isRedacting: redactor.isActive }
  let checked: Promise<unknown> | undefined
  const checkSchemaOnce = async (): Promise<void> => {
    checked ??= checkSchema(engine.store.driver, schema)
    try {
      await checked
    } catch (error) {
      checked = undefined // somebody may migrate it meanwhile
      throw error
    }
  }
  return {
    async fetch(request) {
      try {
        checkHost(request, hosts)
        const actor = await authenticate(auth, request)
        checkOrigin(request)
        await checkSchemaOnce()
        return await routes.fetch(request, { actor })
      } catch (error) {
        const failure = answerFailure(error, request, failureParts)
        return isForPerson(request, resolved.basePath)
          ? answerPage(failure, resolved.basePath)
          : answerJson(failure)
      }
    },
    close: () => pages.close(),
  }
}

function answerJson({ status, headers, body }: AnsweredFailure): Response {
  return Response.json(body, { status, headers: { ...SAFE_HEADERS, ...headers } })
}

function mount(
  parts: Parts,
  audit: Audit,
  pages: PageServer,
  { basePath, maxBodyBytes }: ResolvedDashboardOptions,
): Hono<Env> {
  const app = new Hono<Env>().basePath(basePath === '' ? '/' : basePath)
  for (const route of ROUTES) {
    app.on(route.method.toUpperCase(), honoPath(route), async ({ req, env }) => {
      const { actor } = env
      const path = req.param()
      if (!mayActAs(actor.role, route.role)) {
        await audit.noteRefusal(route, actor, path)
        throw forbidden(actor, route)
      }
      const query = readQuery(route, req.url)
      const body =
        route.body === undefined ? {} : checkBody(route, await readBody(req.raw, maxBodyBytes))
      const call = { parts, actor, path, query, body, signal: req.raw.signal }
      const answer = await audit.carryOut(route, call)
      if (route.about !== undefined) pages.refresh()
      return show(answer, route.contentType)
    })
  }
  pages.mount(app)
  app.get('/openapi.json', () => show({ body: describeApi(ROUTES, basePath) }))
  refuseOtherMethods(app)
  app.notFound(({ req }) => {
    throw notFound(
      'NOT_FOUND',
      `Nothing is at ${req.path}.`,
      'GET /openapi.json lists what there is',
    )
  })
  app.onError((error) => {
    throw error
  })
  return app
}

function refuseOtherMethods(app: Hono<Env>): void {
  const allowed = new Map([['/openapi.json', ['get']]])
  for (const route of ROUTES) {
    const path = honoPath(route)
    allowed.set(path, [...(allowed.get(path) ?? []), route.method])
  }
  for (const [path, methods] of allowed) {
    app.all(path, ({ req }) => {
      throw methodNotAllowed(req.method, methods)
    })
  }
}

function show({ status = 200, body }: Answer, contentType = 'application/json'): Response {
  const headers = { ...SAFE_HEADERS, 'content-type': contentType }
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })
}

/** `/api/queues/{queue}` is `/api/queues/:queue` to Hono. */
function honoPath({ path }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

function forbidden(actor: Actor, { id, role }: Route): Refusal {
  const message = `The role ${actor.role} may not do this (${id}): it takes the role ${role}.`
  return new Refusal(403, 'FORBIDDEN', message, { remedy: `ask somebody with the role ${role}` })
}
