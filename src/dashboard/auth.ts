import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { isPlainObject, invalidOption, readOptions } from '../core/validate.ts'
import { HookFailure, Refusal } from './refusal.ts'

/**
 * What somebody may do: a `viewer` reads, an `operator` steers as well (enqueue, edit, cancel, retry, redrive, pause), an
 * `admin` also deletes, changes queues and reads the audit.
 */
export type Role = 'viewer' | 'operator' | 'admin'

/** Who is asking. */
export interface Identity {
  readonly role: Role
  /** The name under which the audit knows them. @default 'unnamed' */
  readonly name?: string | undefined
}

/**
 * Says who is asking, from the request alone: a role, a role with a name, or null for nobody. When it throws, the
 * request is answered with an error, and nothing is done.
 */
export type Auth = (
  request: Request,
) => Role | Identity | null | undefined | Promise<Role | Identity | null | undefined>

/** Who is asking, known. */
export interface Actor {
  readonly name: string
  readonly role: Role
}

/** Somebody who may come in with a name and a password. */
export interface BasicUser {
  readonly password: string
  readonly role: Role
}

const ROLES: readonly Role[] = ['viewer', 'operator', 'admin']
const MAX_NAME = 200
const REMEDY =
  "pass basicAuth({ ada: { password: '…', role: 'admin' } }), or a function (request) => role that answers " +
  "'viewer', 'operator', 'admin' or null"

/** What a browser is asked for; set on functions that `basicAuth` made. */
const CHALLENGE = Symbol('challenge')

/** Whether somebody of the role may do what another role may. */
export function mayActAs(role: Role, wanted: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(wanted)
}

/**
 * Lets in who sends one of these names with its password, by HTTP's Basic scheme: behind TLS only. Names and passwords
 * are compared in constant time.
 *
 * @throws MillraceError `INVALID_OPTION`
 */
export function basicAuth(users: Readonly<Record<string, BasicUser>>): Auth {
  if (!isPlainObject(users) || Object.keys(users).length === 0) {
    throw invalidOption('users', users, 'it takes at least one name with { password, role }')
  }
  const key = randomBytes(32)
  const digest = (text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const known = Object.entries(users).map(([name, user]) => {
    const { password, role } = readUser(name, user)
    return { name, role, digest: digest(`${name}:${password}`) }
  })
  const auth = (request: Request): Identity | null => {
    const given = digest(readCredentials(request) ?? '')
    // All of them are compared, whichever fits.
    const fitting = known.filter((user) => timingSafeEqual(user.digest, given))
    return fitting[0] ?? null
  }
  return Object.assign(auth, { [CHALLENGE]: 'Basic realm="millrace", charset="UTF-8"' })
}

/** Checks the option `auth`: there is no default, as one that lets everybody in would be taken by mistake. */
export function checkAuth(value: unknown): Auth {
  if (typeof value === 'function') return value as Auth
  throw invalidOption('auth', value, REMEDY)
}

/** Who is asking. Throws a `Refusal` when nobody knows. */
export async function authenticate(auth: Auth, request: Request): Promise<Actor> {
  let actor: Actor | null
  try {
    actor = readAnswer(await auth(request))
  } catch (error) {
    throw new HookFailure('auth', error)
  }
  if (actor === null) throw unauthenticated(auth)
  return actor
}

function readAnswer(answer: unknown): Actor | null {
  if (answer === null || answer === undefined) return null
  const { role, name = 'unnamed' } =
    typeof answer === 'string' ? { role: answer } : readActor(answer)
  if (!ROLES.includes(role as Role)) throw invalidOption('auth', role, REMEDY)
  if (typeof name !== 'string' || name === '') throw invalidOption('auth', name, 'a name is a text')
  return { name, role: role as Role }
}

function readActor(answer: unknown): { role: unknown; name?: unknown } {
  if (typeof answer === 'object' && answer !== null && 'role' in answer) return answer
  throw invalidOption('auth', answer, REMEDY)
}

function unauthenticated(auth: Auth): Refusal {
  const challenge = CHALLENGE in auth ? String(auth[CHALLENGE]) : undefined
  const headers: Record<string, string> =
    challenge === undefined ? {} : { 'www-authenticate': challenge }
  return new Refusal(401, 'UNAUTHENTICATED', 'Nobody knows who is asking; authenticate first.', {
    headers,
  })
}

function readUser(name: string, user: unknown): BasicUser {
  const names = { of: 'a user', known: ['password', 'role'] as const, prefix: `users.${name}.` }
  const { password, role } = readOptions(user, names)
  if (name === '' || name.includes(':') || name.length > MAX_NAME) {
    throw invalidOption('users', name, 'a name has 1 to 200 characters and no colon')
  }
  if (typeof password !== 'string' || password === '') {
    const shown = typeof password === 'string' ? '' : undefined // never the password itself
    throw invalidOption(`users.${name}.password`, shown, 'it takes a text that is not empty')
  }
  if (!ROLES.includes(role as Role)) {
    throw invalidOption(`users.${name}.role`, role, `it is one of ${ROLES.join(', ')}`)
  }
  return { password, role: role as Role }
}

/** `name:password` as it was sent; undefined where nothing of the kind was. */
function readCredentials(request: Request): string | undefined {
  const [, encoded] =
    /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(request.headers.get('authorization') ?? '') ?? []
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8')
}
