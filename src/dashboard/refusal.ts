import { show, showDetail } from '../core/show.ts'
import { describeThrown } from '../core/thrown.ts'
import type { Fault } from './schema.ts'

/** What a refused request is told beside the code and the sentence. */
export interface RefusalDetails {
  /** The field, parameter or header that is wrong. */
  readonly field?: string | undefined
  readonly value?: unknown
  readonly remedy?: string | undefined
}

/** A request that is not carried out, and why. It never leaves this room: it becomes an answer. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly code: string
  readonly details: RefusalDetails
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    message: string,
    details: RefusalDetails & { readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    const { headers = {}, ...others } = details
    this.details = others
    this.headers = headers
  }
}

/** What the application passed has failed, `auth` or `redact`: no matter of the request, whatever was thrown. */
export class HookFailure extends Error {
  override readonly name = 'HookFailure'

  constructor(hook: string, cause: unknown) {
    super(`the function "${hook}" failed: ${describeThrown(cause).message}`, { cause })
  }
}

/** A field of the request is not as it is described. */
export function invalidField({ field, value, remedy }: Fault): Refusal {
  const name = field === '' ? 'The body' : `The field ${show(field)}`
  const problem = value === undefined ? 'is missing' : `cannot be ${show(value)}`
  return new Refusal(400, 'INVALID_OPTION', `${name} ${problem}; ${remedy}.`, {
    field: field === '' ? 'body' : field,
    value: showDetail(value),
    remedy,
  })
}

/** Nothing is under that address. */
export function notFound(code: string, message: string, remedy?: string): Refusal {
  return new Refusal(404, code, message, { remedy })
}
