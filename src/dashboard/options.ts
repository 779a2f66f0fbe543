import { resolveSchema } from '../core/identifiers.ts'
import { checkLogger, type Logger } from '../core/logger.ts'
import { checkArray, checkInteger, invalidOption, readOptions } from '../core/validate.ts'
import { checkAuth, type Auth } from './auth.ts'
import { checkRedact, type Redact, type Redactor } from './redact.ts'

/** How a dashboard works. */
export interface DashboardOptions {
  /**
   * Who may come in, and as what: `basicAuth({ … })`, or a function that says the role of whoever sent a request. It must
   * be given: nothing lets everybody in unless you write that, as `() => 'admin'`.
   */
  auth: Auth
  /** The schema with Millrace's tables. @default 'millrace' */
  schema?: string | undefined
  /** The path under which it is reached, such as `/admin/jobs`; requests come with it. @default '' */
  basePath?: string | undefined
  /** What of a job must not leave: paths such as `args.card`, or a function. @default nothing is redacted */
  redact?: Redact | undefined
  /** The host names under which it answers, without port; against DNS rebinding, where nobody authenticates. @default any */
  hosts?: readonly string[] | undefined
  /** How large the body of a request may be, in bytes. From 1,024 to 268,435,456. @default 8_388_608 (8 MiB) */
  maxBodyBytes?: number | undefined
  /** Where it is logged what nobody expected. @default warnings and errors to `console` */
  logger?: Logger | undefined
}

/** The options of a dashboard, checked. */
export interface ResolvedDashboardOptions {
  readonly auth: Auth
  readonly schema: string
  readonly basePath: string
  readonly redactor: Redactor
  readonly hosts: readonly string[] | undefined
  readonly maxBodyBytes: number
  readonly logger: Logger
}

const OPTIONS = [
  'auth',
  'schema',
  'basePath',
  'redact',
  'hosts',
  'maxBodyBytes',
  'logger',
] as const satisfies readonly (keyof DashboardOptions)[]

const DEFAULT_MAX_BODY_BYTES = 8 * 1_048_576
const MAX_BODY_BYTES = 256 * 1_048_576

/** Checks the options of `createDashboard`. Throws `INVALID_OPTION`. */
export function resolveDashboardOptions(options: unknown): ResolvedDashboardOptions {
  const read = readOptions(options, { of: 'createDashboard', known: OPTIONS })
  const { auth, schema, basePath, redact, hosts, maxBodyBytes, logger } = read
  return {
    auth: checkAuth(auth),
    schema: resolveSchema(schema),
    basePath: basePath === undefined ? '' : checkBasePath(basePath),
    redactor: checkRedact(redact),
    hosts: hosts === undefined ? undefined : checkHosts(hosts),
    maxBodyBytes:
      maxBodyBytes === undefined
        ? DEFAULT_MAX_BODY_BYTES
        : checkInteger('maxBodyBytes', maxBodyBytes, 1_024, MAX_BODY_BYTES),
    logger: checkLogger('logger', logger),
  }
}

function checkBasePath(value: unknown): string {
  if (value === '' || value === '/') return ''
  if (typeof value === 'string' && /^(\/[\w.~-]+)+\/?$/.test(value)) return value.replace(/\/$/, '')
  throw invalidOption('basePath', value, 'it takes a path such as /admin/jobs')
}

function checkHosts(value: unknown): string[] {
  const remedy = 'it takes host names without port, such as localhost'
  return checkArray('hosts', value, remedy, (host, index) => {
    if (typeof host === 'string' && /^([\w.-]+|\[[0-9a-f:.]+\])$/i.test(host))
      return host.toLowerCase()
    throw invalidOption(`hosts[${index}]`, host, remedy)
  })
}
