import { MillraceError } from 'millrace'
import type { Place } from './options.ts'
import { codeOf, describeFileError, Problem } from './problem.ts'

/** What is wrong, in one sentence that says what to do; undefined when that would take a programmer. */
export function explain(error: unknown, place: Place): string | undefined {
  if (error instanceof Problem) return error.message
  if (error instanceof MillraceError) return explainOurs(error)
  if (place.kind === 'server') return explainServer(error, place.url)
  const isOfSystem = error instanceof Error && 'syscall' in error
  return isOfSystem
    ? `The folder of the embedded database, ${place.folder}, ${describeFileError(error)}.`
    : undefined
}

function explainOurs(error: MillraceError): string {
  if (error.code !== 'EMBEDDED_IN_USE') return error.message
  return `${error.message} Let it end, or stop it by Ctrl-C; on a server (DATABASE_URL) several can work at once.`
}

function explainServer(error: unknown, url: URL): string | undefined {
  const code = codeOf(error)
  const user = decodeURIComponent(url.username) || 'the default user'
  const database = decodeURIComponent(url.pathname.slice(1)) || 'the default database'
  const server = `The server at ${url.host || 'the local socket'}`
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return `${server} does not answer (${code}): is it running, and is DATABASE_URL right?`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `There is no host ${url.hostname} (${code}): is DATABASE_URL right?`
    case 'ECONNRESET':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `${server} cannot be reached (${code}): is DATABASE_URL right, and the network up?`
    case '28P01':
    case '28000':
      return `${server} does not let ${user} in (${code}): the user or the password in DATABASE_URL is wrong.`
    case '3D000':
      return `${server} has no database ${database} (${code}): create it, or name another one in DATABASE_URL.`
    case '42501':
      return `${server} does not allow ${user} to create schemas in ${database} (${code}): grant that, or name another user.`
    case '53300':
      return `${server} has no connection left (${code}): try again when others have gone.`
    case '57P03':
      return `${server} is starting up or shutting down (${code}): try again in a moment.`
    case undefined:
      return explainWithoutCode(error, server)
    default:
      return undefined
  }
}

/** Errors of pg itself have no code. */
function explainWithoutCode(error: unknown, server: string): string | undefined {
  const message = error instanceof Error ? error.message : ''
  if (/timeout/i.test(message)) return `${server} did not answer in time: is DATABASE_URL right?`
  if (/SASL|password must be a string/i.test(message)) {
    return `${server} wants a password, and DATABASE_URL has none.`
  }
  if (/terminated|SSL/i.test(message))
    return `${server} refused or lost the connection: ${message}.`
  return undefined
}

/** The text without the password, whichever way it is written. */
export function withoutPassword(text: string, place: Place): string {
  if (place.kind === 'embedded') return text
  const given = [place.url.password, place.url.searchParams.get('password') ?? '']
  const secrets = given.flatMap((secret) => [secret, decodeURIComponent(secret)])
  return secrets
    .filter((secret) => secret !== '')
    .reduce((redacted, secret) => redacted.replaceAll(secret, '***'), text)
}
