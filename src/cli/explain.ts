import { MillraceError } from '../core/errors.ts'
import { codeOf, describeFileError, EXIT, Failure } from './failure.ts'
import type { Place } from './place.ts'
import { showCommand } from './show-command.ts'
import { printable } from './terminal/printable.ts'

/**
 * What is wrong, as a `Failure` whose one sentence says what to do; undefined when that would take a
 * programmer. Without a `place` only what needs no database is explained.
 */
export function explain(error: unknown, place?: Place, schema?: string): Failure | undefined {
  if (error instanceof Failure) return error
  if (error instanceof MillraceError) return explainOurs(error, schema)
  const sentence =
    place?.kind === 'server' ? explainServer(error, place) : explainEmbedded(error, place)
  return sentence === undefined ? undefined : new Failure(sentence, { cause: error })
}

type Server = Extract<Place, { kind: 'server' }>

const BAD_INPUT: ReadonlySet<string> = new Set([
  'INVALID_OPTION',
  'INVALID_ARGS',
  'ARGS_TOO_LARGE',
  'INVALID_JOB_ID',
])

function explainOurs(error: MillraceError, schema: string | undefined): Failure {
  const { code, message } = error
  const exitCode = BAD_INPUT.has(code) ? EXIT.usage : EXIT.failed
  return new Failure(printable(sentenceOf(code, message, schema)), { exitCode, cause: error })
}

function sentenceOf(code: string, message: string, schema?: string): string {
  const migrate = showCommand('migrate up', { schema })
  switch (code) {
    case 'SCHEMA_MISSING':
      return `There is no schema ${schema ?? 'millrace'} of Millrace in this database (${code}). Run: ${migrate}`
    case 'SCHEMA_OUTDATED':
      return `The schema ${schema ?? 'millrace'} is older than this release needs (${code}). Run: ${migrate}`
    case 'EMBEDDED_IN_USE':
      return `${message} On a server (--database-url) several processes can work at once.`
    default:
      return message
  }
}

function explainEmbedded(error: unknown, place: Place | undefined): string | undefined {
  if (place?.kind !== 'embedded') return undefined
  const isOfSystem = error instanceof Error && 'syscall' in error
  return isOfSystem
    ? `The folder of the embedded database, ${printable(place.folder)}, ${describeFileError(error)}.`
    : undefined
}

function explainServer(error: unknown, place: Server): string | undefined {
  const file = fileOf(error)
  if (file !== undefined) {
    return printable(`The file ${file}, which ${place.source} names, ${describeFileError(error)}.`)
  }
  const sentence = sentenceOfServer(errorOf(error), place)
  return sentence === undefined ? undefined : printable(sentence)
}

/** The file of a certificate that could not be read. */
function fileOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('path' in error) || !('syscall' in error)) return undefined
  return error.syscall === 'open' ? String(error.path) : undefined
}

/** A host of several addresses fails with an error for each of them. */
function errorOf(error: unknown): unknown {
  return error instanceof AggregateError ? error.errors[0] : error
}

function sentenceOfServer(error: unknown, place: Server): string | undefined {
  const { source } = place
  const user = place.user === '' ? 'the default user' : place.user
  const server = `The server at ${place.server}`
  const code = codeOf(error)
  switch (code ?? '') {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return `${server} does not answer (${code}): is it running, and is the address in ${source} right?`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `There is no host ${place.server} (${code}): is the address in ${source} right?`
    case 'ECONNRESET':
    case 'EPIPE':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `${server} cannot be reached (${code}): is the address in ${source} right, and the network up?`
    case '28P01':
    case '28000':
      return `${server} does not let ${user} in (${code}): ${denialOf(error, source)}.`
    case '3D000':
      return `${server} has no database ${place.database} (${code}): create it, or name another one in ${source}.`
    case '42501':
      return `${server} does not allow ${user} to do that (${code}): ${messageOf(error)}.`
    case '53300':
      return `${server} has no connection left (${code}): try again when others have gone.`
    case '57P01':
    case '57P03':
      return `${server} is starting up or shutting down (${code}): try again in a moment.`
    default:
      return explainByMessage(error, code, place)
  }
}

/** Errors of pg itself have no code, and those of TLS have many. */
function explainByMessage(
  error: unknown,
  code: string | undefined,
  { server, source }: Server,
): string | undefined {
  const message = messageOf(error)
  if (/does not support SSL/i.test(message)) {
    return `The server at ${server} does not speak SSL: use a server that does, or sslmode=disable in ${source} or PGSSLMODE.`
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO/.test(code ?? '')) {
    return (
      `The certificate of the server at ${server} is not accepted (${code}): ${message}. Name its authority by ` +
      'sslrootcert=<file> in the URL, or use sslmode=no-verify to encrypt without knowing to whom.'
    )
  }
  if (code !== undefined) return undefined
  if (/timeout/i.test(message)) {
    return `The server at ${server} did not answer in time: is the address in ${source} right?`
  }
  if (/SASL|password must be a string/i.test(message)) {
    return `The server at ${server} wants a password, and ${source} has none.`
  }
  if (/terminated|SSL/i.test(message)) {
    return `The server at ${server} refused or lost the connection: ${message}.`
  }
  return undefined
}

/** `28000` is not only a wrong name: the server may want SSL, or know no rule for us. */
function denialOf(error: unknown, source: string): string {
  const message = messageOf(error)
  if (/no encryption|SSL off/i.test(message)) {
    return `it wants SSL; put sslmode=verify-full or sslmode=no-verify into ${source}, or set PGSSLMODE`
  }
  if (/pg_hba/.test(message)) return message
  return `the user or the password in ${source} is wrong`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
}
