import { show } from '../core/show.ts'
import { Refusal } from './refusal.ts'

/** What every answer says: it is for who asked and nobody else, it is no web page, and no other site may embed it. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
}

/**
 * What a page says besides: it runs scripts and takes styles of this origin only, none that stand in the page itself, so
 * that nothing of a job can ever become one (https://www.w3.org/TR/CSP3).
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  ...SAFE_HEADERS,
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Whether a request of this method changes nothing. */
export function isSafe(method: string): boolean {
  return SAFE_METHODS.has(method)
}

/**
 * Refuses requests that name another host than these, whatever the port. A page that had its name point to 127.0.0.1
 * (DNS rebinding) is of the same origin as what answers there; its name in the header Host gives it away.
 */
export function checkHost(request: Request, hosts: readonly string[] | undefined): void {
  if (hosts === undefined) return
  const host = hostOf(request)
  const name = host.replace(/:\d+$/, '').toLowerCase()
  if (hosts.includes(name)) return
  throw new Refusal(403, 'HOST_NOT_ALLOWED', `Nothing is here for the host ${show(host)}.`, {
    field: 'Host',
    value: host.slice(0, 300),
    remedy: 'ask under one of the names for which it was opened',
  })
}

/**
 * Refuses what a page of another origin makes a browser send (CSRF). Browsers since 2023 say where a request comes from in
 * Sec-Fetch-Site, which no page can set; those before say it in Origin. Who sends neither is no browser, and carries
 * no one's credentials but its own. This is the algorithm of Go's `CrossOriginProtection`, whose reasons are at
 * https://words.filippo.io/csrf; the headers are those of https://www.w3.org/TR/fetch-metadata and RFC 6454.
 */
export function checkOrigin(request: Request): void {
  if (isSafe(request.method)) return
  const site = request.headers.get('sec-fetch-site')
  if (site !== null) {
    if (site === 'same-origin' || site === 'none') return
    throw crossOrigin('Sec-Fetch-Site', site)
  }
  const origin = request.headers.get('origin')
  if (origin === null || isOfHost(origin, hostOf(request))) return
  throw crossOrigin('Origin', origin)
}

function crossOrigin(field: string, value: string): Refusal {
  const message = `A page of another origin sent this (${field}: ${show(value).slice(1, -1)}); nothing was done.`
  const atProxies = field === 'Origin' ? '; a proxy between them must pass on the header Host' : ''
  const remedy = `send it from a page of this origin, or without a browser${atProxies}`
  return new Refusal(403, 'CROSS_ORIGIN', message, { field, value: value.slice(0, 300), remedy })
}

/**
 * Whether a page of this origin was served under this host. Both are read as URLs of the origin's scheme, because a proxy
 * may end TLS, and may name the port that goes without saying. 'null' is nobody's origin.
 */
function isOfHost(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false
  const page = new URL(origin)
  const asked = `${page.protocol}//${host}`
  return page.host !== '' && URL.canParse(asked) && new URL(asked).host === page.host
}

function hostOf(request: Request): string {
  return request.headers.get('host') ?? new URL(request.url).host
}
