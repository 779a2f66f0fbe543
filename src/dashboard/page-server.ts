import type { Context, Hono } from 'hono'
import type { Assets } from './assets.ts'
import { loadAssets } from './assets.ts'
import { mayActAs, type Actor } from './auth.ts'
import { PAGE_HEADERS, SAFE_HEADERS } from './guards.ts'
import { Live, type LiveParts } from './live.ts'
import { Links } from './pages/links.ts'
import { renderPage, renderPart } from './pages/layout.tsx'
import type { Page, Redirect, View, Visit } from './pages/page.ts'
import { PAGES } from './pages/pages.ts'
import { Refusal } from './refusal.ts'
import { methodNotAllowed, readForm } from './requests.ts'
import type { Parts } from './route.ts'
import { Shared } from './shared.ts'

export type Env = { Bindings: { actor: Actor } }

/** The pages that people look at, and what keeps them true while they do. */
export class PageServer {
  readonly #parts: Parts
  readonly #links: Links
  readonly #live = new Live()
  readonly #shared = new Shared()

  constructor(parts: Parts, basePath: string) {
    this.#parts = parts
    this.#links = new Links(basePath)
  }

  mount(app: Hono<Env>): void {
    for (const page of PAGES) {
      const paths = page.path === '/' ? ['', '/'] : [page.path]
      for (const path of paths) {
        app.get(path, (context) => this.#answer(page, context))
        app.all(path, ({ req }) => {
          throw methodNotAllowed(req.method, ['get'])
        })
      }
    }
    app.get('/assets/:version/:name', async ({ req }) =>
      answerAsset(await loadAssets(), req.param('name')),
    )
  }

  /** Something was changed by a request that came here: no page shows what was before. */
  refresh(): void {
    this.#shared.forget()
    this.#live.refresh()
  }

  close(): void {
    this.#live.close()
  }

  async #answer(page: Page, { req, env: { actor } }: Context<Env>): Promise<Response> {
    if (!mayActAs(actor.role, page.role)) throw forbidden(actor, page)
    const visit: Visit = {
      parts: this.#parts,
      actor,
      path: req.param(),
      query: readForm(page, req.url),
      links: this.#links,
      shared: this.#shared,
    }
    const isToBeStreamed = req.method === 'GET' && req.header('accept') === 'text/event-stream'
    if (isToBeStreamed) return this.#stream(page, visit, req.url)
    const view = await page.open(visit)
    if ('redirect' in view) {
      return new Response(null, {
        status: 303,
        headers: { ...SAFE_HEADERS, location: view.redirect },
      })
    }
    const html = renderPage(view, visit, (await loadAssets()).version)
    return new Response(html, { headers: { ...PAGE_HEADERS, vary: 'accept' } })
  }

  /** What is on a page depends on its address and on what one may do, so that all of a role share it. */
  #stream(page: Page, visit: Visit, url: string): Response {
    const { pathname, search } = new URL(url)
    const key = JSON.stringify([visit.actor.role, pathname, search])
    const stream = this.#live.open(key, async () => livePartsOf(await page.open(visit)))
    if (stream === undefined) {
      throw new Refusal(503, 'TOO_MANY_STREAMS', 'Too many pages are open.', {
        remedy: 'ask for the page itself now and then',
      })
    }
    // nginx passes events on at once when it reads this: https://nginx.org/en/docs/http/ngx_http_proxy_module.html
    // What compresses answers (Express's `compression`) leaves those alone that may not be transformed.
    const headers = {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    }
    return new Response(stream, { headers: { ...SAFE_HEADERS, ...headers } })
  }
}

function livePartsOf(view: View | Redirect): LiveParts {
  if ('redirect' in view) return new Map()
  return new Map(
    view.parts.flatMap((part) => (part.live === undefined ? [] : [[part.live, renderPart(part)]])),
  )
}

function answerAsset(assets: Assets, name: string): Response {
  const asset = assets.find(name)
  if (asset === undefined) throw new Refusal(404, 'NOT_FOUND', 'There is no such file.')
  return new Response(asset.content, {
    headers: {
      ...SAFE_HEADERS,
      'content-type': asset.type,
      'cache-control': 'private, max-age=31536000, immutable',
    },
  })
}

function forbidden(actor: Actor, { role }: Page): Refusal {
  const message = `The role ${actor.role} may not see this page: it takes the role ${role}.`
  return new Refusal(403, 'FORBIDDEN', message, { remedy: `ask somebody with the role ${role}` })
}
