import type { Engine } from '../engine.ts'
import type { Querier } from '../querier.ts'
import type { DBTX } from '../drivers/driver.ts'
import { readBounded, readOnly } from '../store/read-only.ts'
import type { Store } from '../store/store.ts'
import type { Actor, Role } from './auth.ts'
import type { Redactor } from './redact.ts'
import type { Schema } from './schema.ts'

/** What the routes work with. */
export interface Parts {
  readonly store: Store
  readonly engine: Engine
  readonly querier: Querier
  readonly redactor: Redactor
}

/** A request that has been let in, with all that it carries checked against the route's description. */
export interface Call {
  readonly parts: Parts
  readonly actor: Actor
  /** What stands in the path, by name. */
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: Readonly<Record<string, unknown>>
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** What a route answers. */
export interface Answer {
  readonly status?: 200 | 201
  /** A text only of a route with a `contentType`. */
  readonly body: object | string
  /** Of a route that changes something: how many jobs or queues it changed, and which jobs. */
  readonly changed?: number
  readonly jobIds?: readonly string[]
}

/** What the audit is told before anything is done. */
export interface About {
  readonly queueName?: string | undefined
  readonly jobIds?: readonly string[] | undefined
  readonly jobCount?: number | undefined
  /** What was asked for besides; never arguments of jobs. */
  readonly request?: object | undefined
}

/**
 * One address and method: what it takes, what it answers, who may, and how it is done. Requests are checked against
 * this, the OpenAPI document is made of it, and the tests hold answers to it.
 */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** In OpenAPI's way: `/api/queues/{queue}`. */
  readonly path: string
  /** A verb in the imperative, unique: OpenAPI's operationId. */
  readonly id: string
  readonly summary: string
  readonly role: Role
  readonly query?: Readonly<Record<string, Schema>>
  readonly body?: Schema
  readonly answer: Schema
  /** What the answer is, where it is a text rather than JSON. @default 'application/json' */
  readonly contentType?: string
  /** @default 200 */
  readonly status?: 200 | 201
  /** Of a route that changes something, what the audit is told; undefined when this call changes nothing. */
  readonly about?: (call: Call) => About | undefined
  readonly handle: (call: Call) => Promise<Answer>
}

/** Reads in a transaction that can change nothing, and whose statements are short or given up. */
export function look<T>(parts: Parts, work: (tx: DBTX) => Promise<T>): Promise<T> {
  return readBounded(parts.store, work)
}

/** As `look`, for what has no bound of its own but that of time. */
export function lookFreely<T>(parts: Parts, work: (tx: DBTX) => Promise<T>): Promise<T> {
  return readOnly(parts.store, work)
}

/** What a route of the description can only have. */
export function textAt(from: Readonly<Record<string, unknown>>, name: string): string {
  return from[name] as string
}

/** A number that was given, or its default. */
export function numberAt(
  from: Readonly<Record<string, unknown>>,
  name: string,
  fallback: number,
): number {
  return (from[name] as number | undefined) ?? fallback
}
