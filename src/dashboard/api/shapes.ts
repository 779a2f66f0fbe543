import { COUNTS } from '../../core/tally.ts'
import type { Schema } from '../schema.ts'

/* The shapes that several routes have in common, as `components/schemas` of the OpenAPI document. */

export const instant: Schema = { type: 'string', format: 'date-time' }
export const optionalInstant: Schema = { type: ['string', 'null'], format: 'date-time' }
const text: Schema = { type: 'string' }
const optionalText: Schema = { type: ['string', 'null'] }
const optionalNumber: Schema = { type: ['number', 'null'] }
const count: Schema = { type: 'integer', minimum: 0 }
const optionalCount: Schema = { type: ['integer', 'null'], minimum: 0 }

/** An answer's object: every property is there but those named optional. */
export function answerOf(
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, required, additionalProperties: false }
}

/** A request's object: nothing must be there but what is named required. */
export function requestOf(
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema {
  return { type: 'object', properties, required, additionalProperties: false }
}

/** A reference to one of the shapes below. */
export function ref(name: keyof typeof SHAPES): Schema {
  return { $ref: `#/components/schemas/${name}` }
}

/** A list of one of the shapes below, a page of it. */
export function pageOf(name: string, item: Schema): Schema {
  return answerOf({
    [name]: { type: 'array', items: item },
    next: {
      type: ['string', 'null'],
      description: 'Pass it as cursor for the next page; null: this was the last one.',
    },
  })
}

const PAUSED: Schema = {
  ...answerOf({ at: instant, by: optionalText, reason: optionalText }),
  type: ['object', 'null'],
  description: 'Since when it is paused, by whom and why; null: it is not.',
}

/** The parameters of every list. */
export function pageParameters(maximum: number): Readonly<Record<string, Schema>> {
  return {
    limit: { type: 'integer', minimum: 1, maximum, default: 50, description: 'How many at most.' },
    cursor: { type: 'string', maxLength: 2_000, description: 'next of the page before.' },
  }
}

const STATUS: Schema = {
  type: 'string',
  enum: ['available', 'running', 'finished', 'failed', 'cancelled'],
}
const DURATION: Schema = {
  type: ['string', 'number'],
  description: 'A duration such as "90s", "24h" or "7d", or a number of milliseconds.',
}
const ANYTHING: Schema = { description: 'Any JSON value.' }
const METADATA: Schema = { type: 'object' }
const TAGS: Schema = {
  type: 'array',
  items: text,
  maxItems: 10,
  description: 'Words to find the job by, such as "customer:42"; each of 1 to 100 characters.',
}

/** How a job is stored and run; the library checks ranges. */
export const jobOptions: Readonly<Record<string, Schema>> = {
  metadata: METADATA,
  tags: TAGS,
  runAt: { ...instant, description: 'Not before this instant, in ISO 8601 with its zone.' },
  delay: DURATION,
  priority: { type: 'integer', minimum: 0, maximum: 9 },
  maxRetries: { type: 'integer', minimum: 0, maximum: 32_767 },
  retryPolicy: { type: 'string', enum: ['constant', 'linear', 'exponential'] },
  timeout: DURATION,
}

/** Which jobs are meant; what is given together must all be met. */
export const filter: Readonly<Record<string, Schema>> = {
  status: STATUS,
  olderThan: { ...DURATION, type: 'string', description: 'Enqueued at least so long ago.' },
  newerThan: { ...DURATION, type: 'string', description: 'Enqueued less than so long ago.' },
  errorText: { type: 'string', description: 'With an error whose "name: message" contains this.' },
  metadata: { ...METADATA, description: 'Whose metadata contain this object.' },
  tags: { ...TAGS, description: 'With all of these tags.' },
}

/** What is in the settings of a queue. */
export const queueSettings: Readonly<Record<string, Schema>> = {
  fifo: {
    type: 'boolean',
    description: 'Strict order; a queue keeps the mode that it was made with.',
  },
  dlq: { type: 'string', description: 'The name of its dead-letter queue.' },
  keepFinished: {
    type: ['string', 'number', 'boolean'],
    description: 'A duration; false: not at all.',
  },
  keepFailed: DURATION,
  baseRetryDelay: DURATION,
  maxRetryDelay: DURATION,
  retryJitter: { type: 'number', minimum: 0, maximum: 1 },
}

const JOB = {
  id: { type: 'string', description: 'A decimal number, too large for some programs.' },
  queue: { type: 'string', description: 'The queue in which the job is now.' },
  args: ANYTHING,
  metadata: METADATA,
  tags: { type: 'array', items: text },
  attempt: count,
  maxRetries: count,
  createdAt: instant,
  scheduledAt: instant,
} satisfies Record<string, Schema>

const STANDING = {
  status: STATUS,
  startedAt: optionalInstant,
  finishedAt: optionalInstant,
  errorCount: count,
  originQueue: { ...optionalText, description: 'In a dead-letter queue: where the job came from.' },
  cancelRequestedAt: {
    ...optionalInstant,
    description:
      'When somebody asked to cancel it while it ran; null: nobody did, or it has ended.',
  },
  progress: { description: 'What its runs reported last, any JSON value; null: nothing.' },
  progressAt: optionalInstant,
} satisfies Record<string, Schema>

const TIMES = answerOf({
  count,
  meanMs: optionalNumber,
  p50Ms: optionalNumber,
  p95Ms: optionalNumber,
  p99Ms: optionalNumber,
})

const FIGURES = {
  counts: answerOf(Object.fromEntries(COUNTS.map((name) => [name, count]))),
  perSecond: { type: 'number', description: 'Jobs that ended in a second.' },
  failureRate: {
    type: ['number', 'null'],
    description: 'The share of runs that failed, from 0 to 1; null: none ended.',
  },
  wait: { ...TIMES, description: 'From when a job was due until its run started.' },
  run: { ...TIMES, description: 'From the start of a run to its end.' },
} satisfies Record<string, Schema>

const PER_SECOND: Schema = {
  type: 'number',
  description: 'Jobs that ended in a second, over five minutes.',
}

export const SHAPES = {
  Count: answerOf({
    value: count,
    precision: {
      type: 'string',
      enum: ['exact', 'estimate', 'atLeast'],
      description: 'As counted; from statistics; or where counting ended.',
    },
  }),
  Queue: answerOf({
    name: text,
    fifo: { type: ['boolean', 'null'], description: 'null: known as a dead-letter queue only.' },
    dlq: optionalText,
    keepFinishedMs: { type: ['integer', 'null'], description: 'null: deleted at once.' },
    keepFailedMs: { type: ['integer', 'null'], description: 'null: 30 days.' },
    baseRetryDelayMs: { type: 'number' },
    maxRetryDelayMs: { type: 'number' },
    retryJitter: { type: 'number' },
    paused: PAUSED,
    counts: answerOf({
      available: { $ref: '#/components/schemas/Count' },
      running: { $ref: '#/components/schemas/Count' },
      finished: { $ref: '#/components/schemas/Count' },
      failed: { $ref: '#/components/schemas/Count' },
      cancelled: { $ref: '#/components/schemas/Count' },
    }),
    longestWaitMs: {
      type: ['integer', 'null'],
      description: 'How long the job has been due that has waited longest; null: none is due.',
    },
  }),
  QueueOverview: answerOf({
    name: text,
    fifo: { type: ['boolean', 'null'], description: 'null: known as a dead-letter queue only.' },
    dlq: optionalText,
    isDlq: { type: 'boolean', description: 'Whether it is the dead-letter queue of another one.' },
    paused: PAUSED,
    available: { $ref: '#/components/schemas/Count' },
    running: { $ref: '#/components/schemas/Count' },
    oldestDueAt: {
      ...optionalInstant,
      description: 'Since when the job has been due that has waited longest; null: none is due.',
    },
    perSecond: PER_SECOND,
    lastHour: { ...answerOf(FIGURES), description: 'The last 60 whole minutes, and the current.' },
    endedByMinute: {
      type: 'array',
      items: count,
      description: 'Jobs that ended in each of the last 60 whole minutes, the oldest first.',
    },
  }),
  Totals: answerOf({
    queues: { $ref: '#/components/schemas/Count' },
    available: { $ref: '#/components/schemas/Count' },
    running: { $ref: '#/components/schemas/Count' },
    workers: { ...count, description: 'Processes that receive.' },
    perSecond: PER_SECOND,
    failed: { ...count, description: 'Jobs that failed for good in the last hour.' },
    failureRate: {
      ...optionalNumber,
      description: 'The share of runs that failed in the last hour; null: none ended.',
    },
  }),
  EnqueuedJob: answerOf(JOB),
  ListedJob: answerOf({
    ...JOB,
    ...STANDING,
    lastError: { type: ['object', 'null'], properties: { name: text, message: text } },
    omitted: {
      type: 'array',
      items: text,
      description: 'What is too large for a list: read the job itself.',
    },
  }),
  Job: answerOf({
    ...JOB,
    ...STANDING,
    priority: { ...count, description: 'From 0, first, to 9, last.' },
    timeoutMs: { ...optionalNumber, description: 'Of each run; null: none.' },
    errors: {
      type: 'array',
      items: answerOf({
        attempt: count,
        startedAt: { ...optionalInstant, description: 'When the run started; null: not known.' },
        at: { ...instant, description: 'When it failed.' },
        name: text,
        message: text,
        stack: optionalText,
      }),
      description: 'The first 20 failed runs and the last 20.',
    },
    result: ANYTHING,
  }),
  LogLine: answerOf({
    number: { ...count, description: 'Over all runs of the job. A gap: lines were not kept.' },
    attempt: count,
    at: instant,
    message: text,
    fields: { type: ['object', 'null'], description: 'What was passed with it.' },
  }),
  Change: answerOf({
    changed: {
      ...count,
      description: 'How many jobs were changed; those among them that run were asked to end.',
    },
    refused: { ...count, description: 'How many could not be: not there, or in another status.' },
    changedIds: { type: 'array', items: text, description: 'At most 1,000 of them.' },
    refusedIds: { type: 'array', items: text, description: 'At most 1,000 of them.' },
    isComplete: {
      type: 'boolean',
      description: 'False: it ended at its limit or its time, and there may be more; ask again.',
    },
  }),
  Preview: answerOf({
    count: { $ref: '#/components/schemas/Count' },
    sample: { type: 'array', items: { $ref: '#/components/schemas/Job' } },
  }),
  Backlog: answerOf({
    ready: { ...count, description: 'Jobs that are due and in nobody’s hands.' },
    isExact: { type: 'boolean', description: 'False: so many that ready is an estimate.' },
    oldestReadyMs: {
      type: ['integer', 'null'],
      description: 'How long the one has been due that has waited longest; null: none is ready.',
    },
    perSecond: PER_SECOND,
    drainMs: {
      ...optionalNumber,
      description: 'How long ready takes at that pace; null: there is something, and no pace.',
    },
  }),
  Stats: answerOf({
    since: instant,
    until: instant,
    total: answerOf(FIGURES),
    series: {
      type: 'array',
      items: answerOf({ at: instant, ms: count, ...FIGURES }),
      description: 'In order; minutes or hours in which nothing happened are not there.',
    },
    backlog: { $ref: '#/components/schemas/Backlog' },
  }),
  Worker: answerOf({
    id: count,
    host: text,
    pid: count,
    version: text,
    state: {
      type: 'string',
      enum: ['alive', 'silent', 'dead', 'stopped'],
      description: 'silent: not heard of for a whole lease.',
    },
    startedAt: instant,
    beatAt: instant,
    leaseMs: count,
    inFlight: {
      ...optionalCount,
      description: 'Handlers that have not returned, as its last heartbeat said; null: none has.',
    },
    rssBytes: { ...optionalCount, description: 'Resident memory; null: not known.' },
    heapBytes: {
      ...optionalCount,
      description: 'What of the JavaScript heap is used; null: not known.',
    },
    eventLoopLagMs: {
      ...optionalCount,
      description:
        'How late its event loop was at worst between its last two heartbeats; null: not known.',
    },
    queues: { type: 'array', items: text, description: 'Every queue that it ever claimed from.' },
  }),
  AuditEntry: answerOf({
    id: text,
    at: instant,
    actor: text,
    role: { type: 'string', enum: ['viewer', 'operator', 'admin'] },
    action: { type: 'string', description: 'The operationId of what was asked for.' },
    queue: optionalText,
    jobIds: { type: 'array', items: text, description: 'At most 100 of them.' },
    jobCount: { type: ['integer', 'null'], description: 'How many jobs were named.' },
    request: { type: ['object', 'null'], description: 'The filter, the limit, the settings.' },
    changed: { type: ['integer', 'null'], description: 'How many jobs or queues were changed.' },
    outcome: {
      type: 'string',
      description:
        'done; the code of an error; or started, where it is not known whether it was done.',
    },
  }),
  Error: answerOf({
    error: answerOf(
      {
        code: { type: 'string', description: 'What went wrong, for programs.' },
        message: { type: 'string', description: 'The same for people.' },
        field: { type: 'string', description: 'The field, parameter or header that is wrong.' },
        value: ANYTHING,
        remedy: text,
        id: { type: 'string', description: 'Under which the log has what nobody expected.' },
      },
      ['field', 'value', 'remedy', 'id'],
    ),
  }),
} satisfies Record<string, Schema>
