import type { Child } from 'hono/jsx'
import type { JSX } from 'hono/jsx/jsx-runtime'
import { mayActAs, type Actor, type Role } from '../auth.ts'
import type { Parts } from '../route.ts'
import type { Schema } from '../schema.ts'
import type { Shared } from '../shared.ts'
import type { Links } from './links.ts'

/** What JSX makes: it becomes HTML, with everything escaped that is not markup of ours. */
export type Markup = JSX.Element | null

/** Somebody who looks at a page, and what they ask it for. */
export interface Visit {
  readonly parts: Parts
  readonly actor: Actor
  /** What stands in the path, by name. */
  readonly path: Readonly<Record<string, string>>
  /** The parameters, checked against the page's description. */
  readonly query: Readonly<Record<string, unknown>>
  readonly links: Links
  /** What has been read lately, for whichever tab. */
  readonly shared: Shared
}

/** A part of a page. A live one is sent again whenever it has changed; the name is unique on the page. */
export interface Part {
  readonly live?: string
  readonly content: Child
}

/** What a page shows. */
export interface View {
  /** Of the window, and the headline where the page shows no other. */
  readonly title: string
  /** Which entry of the navigation it belongs to. */
  readonly room: Room
  /** The way here: names with where they lead. */
  readonly trail?: readonly (readonly [name: string, href: string])[]
  readonly parts: readonly Part[]
}

/** Another page, in place of this one. */
export interface Redirect {
  /** Where it is, as `Links` have it. */
  readonly redirect: string
}

/** The entries of the navigation. */
export type Room = 'overview' | 'jobs' | 'dead-letters' | 'workers' | 'audit'

/** One address that a person looks at. It only reads: whatever changes something is a request to the JSON API. */
export interface Page {
  /** In Hono's way: `/queues/:queue`. */
  readonly path: string
  readonly role: Role
  readonly query?: Readonly<Record<string, Schema>>
  readonly open: (visit: Visit) => Promise<View | Redirect>
}

/** Whether whoever looks may do what a role may: buttons that would be refused are not shown. */
export function may({ actor }: Visit, role: Role): boolean {
  return mayActAs(actor.role, role)
}

/** How long the pages of a list shall be, for the link to the next one. */
export function limitOf({ limit }: Visit['query']): { limit?: number } {
  return typeof limit === 'number' ? { limit } : {}
}
