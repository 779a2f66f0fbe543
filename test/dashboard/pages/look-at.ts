import { expect } from 'vitest'
import type { Role } from '../../../src/dashboard/index.ts'
import type { DashboardOptions } from '../../../src/dashboard/options.ts'
import type { Action } from '../../../src/dashboard/pages/action.tsx'
import type { Database } from '../../../src/drivers/database.ts'
import { visitor } from './arrange.ts'

/** A page as somebody is sent it. */
export interface LookedAt {
  readonly status: number
  readonly html: string
  /** What stands there, without markup. */
  readonly text: string
  /** What the buttons would send, by what stands on them. */
  readonly actions: Readonly<Record<string, Action>>
}

export type LookAt = (path: string) => Promise<LookedAt>

/** Pages as they are for a role, asked for as a browser does. */
export function lookAs(
  role: Role,
  db: Database,
  schema: string,
  options: Partial<DashboardOptions> = {},
): LookAt {
  const visit = visitor(db, schema, role, options)
  return async (path) => {
    const { status, headers, html } = await visit(path)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expectWellFormed(html)
    return { status, html, text: textOf(html), actions: actionsOf(html) }
  }
}

const TAG = /<\/?([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*\/?>/g
const TAGS = new Set(
  (
    'html head meta title link script body header main nav a img form input button span b i small p h1 h2 h3 div ' +
    'section table thead tbody tr th td ul ol li dl dt dd pre code time label select option dialog kbd progress ' +
    'details summary strong figure figcaption'
  ).split(' '),
)

/** Every angle bracket belongs to a tag of ours, and no attribute runs or styles anything: nothing of a job has become markup. */
function expectWellFormed(html: string): void {
  const names = new Set<string>()
  const rest = html
    .replace('<!doctype html>', '')
    .replaceAll(TAG, (_tag, name: string, attributes: string) => {
      names.add(name)
      expect(attributes.replaceAll(/="[^"]*"/g, '=')).not.toMatch(
        /\s(on[a-z]+|style|srcdoc)(=|\s|$)/,
      )
      expect(attributes).not.toMatch(/(href|src|action)="\s*(javascript|data):/i)
      return ''
    })
  expect(rest).not.toMatch(/[<>]/)
  expect([...names].filter((name) => !TAGS.has(name))).toEqual([])
  expect(html.match(/<script/g)?.length).toBe(3)
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' },
}

/** The text that stands escaped in HTML. */
export function decode(text: string): string {
  return text.replaceAll(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity] ?? entity)
}

/** What stands in HTML, without markup. */
export function textOf(html: string): string {
  return decode(html.replaceAll(TAG, ' ')).replaceAll(/\s+/g, ' ')
}

/** What the buttons of a page would send, by what stands on them. */
export function actionsOf(html: string): Record<string, Action> {
  const found = [...html.matchAll(/<button[^>]* data-action="([^"]*)"[^>]*>([^<]*)</g)]
  return Object.fromEntries(
    found.map(([, action = '', label = '']) => [label, JSON.parse(decode(action)) as Action]),
  )
}
