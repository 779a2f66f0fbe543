import { createDashboard, type Dashboard, type Role } from '../../../src/dashboard/index.ts'
import type { DashboardOptions } from '../../../src/dashboard/options.ts'
import type { Database } from '../../../src/drivers/database.ts'

/** A page as a browser gets it. */
export interface Shown {
  readonly status: number
  readonly headers: Headers
  readonly html: string
}

/** What a browser asks with. */
export const ASKS_FOR_PAGE = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' }

/** Opens pages of a dashboard for somebody of this role: `visit('/workers')`. */
export function visitor(
  db: Database,
  schema: string,
  role: Role = 'admin',
  options: Partial<DashboardOptions> = {},
): (path: string) => Promise<Shown> {
  return visitorOf(createDashboard(db, { auth: () => ({ role, name: 'ada' }), schema, ...options }))
}

export function visitorOf(dashboard: Dashboard): (path: string) => Promise<Shown> {
  return async (path) => {
    const response = await dashboard.fetch(
      new Request(`http://localhost:4000${path}`, { headers: ASKS_FOR_PAGE }),
    )
    return { status: response.status, headers: response.headers, html: await response.text() }
  }
}

/** An event of a stream. */
export interface StreamEvent {
  readonly type: string
  readonly data: Readonly<Record<string, string>>
}

/** A stream of a page, event by event. */
export class PageStream {
  readonly response: Response
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()
  #unread = ''

  constructor(response: Response) {
    if (response.body === null) throw new Error('There is no stream.')
    this.response = response
    this.#reader = response.body.getReader()
  }

  static async open(dashboard: Dashboard, path: string): Promise<PageStream> {
    const headers = { accept: 'text/event-stream' }
    return new PageStream(
      await dashboard.fetch(new Request(`http://localhost:4000${path}`, { headers })),
    )
  }

  /** The next event that fits; undefined when the stream ended. */
  async next(fits: (event: StreamEvent) => boolean = () => true): Promise<StreamEvent | undefined> {
    for (;;) {
      const event = await this.#nextEvent()
      if (event === undefined || fits(event)) return event
    }
  }

  async close(): Promise<void> {
    await this.#reader.cancel()
  }

  async #nextEvent(): Promise<StreamEvent | undefined> {
    for (;;) {
      const end = this.#unread.indexOf('\n\n')
      if (end >= 0) {
        const text = this.#unread.slice(0, end)
        this.#unread = this.#unread.slice(end + 2)
        const found = /^event: (.*)\ndata: (.*)$/.exec(text)
        if (found === null) continue // a comment, or `retry`
        const [, type = '', data = ''] = found
        return { type, data: JSON.parse(data) as StreamEvent['data'] }
      }
      const { done, value } = await this.#reader.read()
      if (done) return undefined
      this.#unread += this.#decoder.decode(value, { stream: true })
    }
  }
}

/** A tag with its attributes, whatever stands in their values. */
const TAG = /<[a-z][^\s>"]*(?:[^>"]|"[^"]*")*>/gi

/** What a page must never have: script or style that stands in it, which its CSP would refuse, and hostile data would become. */
export function findUnsafe(html: string): string[] {
  return (html.match(TAG) ?? []).filter((tag) => {
    const names = tag.replaceAll(/="[^"]*"/g, '=')
    const isInline = /^<style\b/i.test(tag) || (/^<script\b/i.test(tag) && !/ src=/.test(names))
    return (
      isInline ||
      / (?:style|on\w+)\b/i.test(names) ||
      / (?:href|src|action)="(?:javascript|data):/i.test(tag)
    )
  })
}
