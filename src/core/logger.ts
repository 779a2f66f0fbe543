import type { EventBus } from './event-bus.ts'
import type { MillraceEvent } from './events.ts'
import {
  describeEvent,
  levelOf,
  typesAtLevel,
  type LogFields,
  type LogLevel,
} from './log-wording.ts'
import { invalidOption } from './validate.ts'

export type { LogFields, LogLevel }

/** Where the lines of the log go. `console` fits; for pino there is `pinoLogger`. */
export interface Logger {
  /** What happens to single jobs, and what is only of interest when looking for a fault. */
  debug(message: string, fields?: LogFields): void
  /** What happens a few times in the life of a process. */
  info(message: string, fields?: LogFields): void
  /** What somebody should look at, though the work goes on. */
  warn(message: string, fields?: LogFields): void
  /** What failed and stays so until somebody looks. */
  error(message: string, fields?: LogFields): void
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[]

/** The logger of those who give none: warnings and errors go to `console`. */
export const defaultLogger: Logger = Object.freeze({
  debug: () => {},
  info: () => {},
  // The console is read when it is used: tests and frameworks replace its methods.
  // oxlint-disable-next-line no-console
  warn: (message: string, fields?: LogFields) => console.warn(`millrace: ${message}`, fields),
  // oxlint-disable-next-line no-console
  error: (message: string, fields?: LogFields) => console.error(`millrace: ${message}`, fields),
})

/** Whether it has the four methods of a `Logger`. */
export function isLogger(value: unknown): value is Logger {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  try {
    return LEVELS.every((level) => typeof (value as Partial<Logger>)[level] === 'function')
  } catch {
    return false
  }
}

/** Checks the option `logger`; `defaultLogger` when it was not given. */
export function checkLogger(option: string, value: unknown): Logger {
  if (value === undefined) return defaultLogger
  if (isLogger(value)) return value
  throw invalidOption(
    option,
    value,
    'it takes an object with the methods debug, info, warn and error, such as console',
  )
}

/** The part of pino that is used here, so that nobody must install it. */
export type PinoLike = Record<LogLevel, (fields: object, message: string) => void>

/** A `Logger` that writes to pino, which takes the fields first. */
export function pinoLogger(pino: PinoLike): Logger {
  return {
    debug: (message, fields = {}) => pino.debug(fields, message),
    info: (message, fields = {}) => pino.info(fields, message),
    warn: (message, fields = {}) => pino.warn(fields, message),
    error: (message, fields = {}) => pino.error(fields, message),
  }
}

/**
 * Writes a line for each event, until the returned function is called. Without a logger of the
 * user's, only the events that are worth a warning are listened to, so that the others cost nothing.
 */
export function logEvents(events: EventBus, logger: Logger): () => void {
  const write = (event: MillraceEvent): void => {
    const { message, fields } = describeEvent(event)
    writeLine(logger, levelOf(event.type), message, fields)
  }
  const types =
    logger === defaultLogger ? [...typesAtLevel('warn'), ...typesAtLevel('error')] : undefined
  return events.on(write, types)
}

/** A logger that fails has nobody to be reported to, and must not stop the work. */
function writeLine(logger: Logger, level: LogLevel, message: string, fields: LogFields): void {
  try {
    const answer: unknown = logger[level](message, fields)
    if (answer instanceof Promise) answer.catch(() => {})
  } catch {
    // See above.
  }
}
