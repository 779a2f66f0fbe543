import type { Attributes } from '@opentelemetry/api'
import type { JobEnqueueContext, JobProcessContext } from '../core/contexts.ts'

/*
 * The names are those of OpenTelemetry's semantic conventions for messaging spans, which are still in
 * development: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/. They are
 * written out here, as the package that exports them may rename what is not stable.
 */

/** Which run it is, 1 being the first. */
const ATTEMPT = 'messaging.millrace.attempt'

/** How a run ended: an outcome of the glossary. */
export const OUTCOME = 'messaging.millrace.outcome'

/** What kind of error an operation ended with. */
export const ERROR_TYPE = 'error.type'

/** Of a span that enqueues. It has no id of a message: the database gives it when the span is over. */
export function sendAttributes({ queueName }: JobEnqueueContext): Attributes {
  return operation('send', queueName)
}

/** Of a span that is a run. */
export function processAttributes({ queueName, jobId, attempt }: JobProcessContext): Attributes {
  return {
    ...operation('process', queueName),
    'messaging.message.id': jobId,
    [ATTEMPT]: attempt,
  }
}

/** The name of a span: the operation and the queue, as the conventions want it. */
export function spanName(name: 'send' | 'process', queueName: string): string {
  return `${name} ${queueName}`
}

/** Of an operation, also of a measurement: these have few values. */
export function operation(name: 'send' | 'process', queueName: string): Attributes {
  return {
    'messaging.system': 'millrace',
    'messaging.destination.name': queueName,
    'messaging.operation.name': name,
    'messaging.operation.type': name,
  }
}
