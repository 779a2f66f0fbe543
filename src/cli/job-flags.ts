import { buffer } from 'node:stream/consumers'
import type { JobOptions } from '../core/enqueue-options.ts'
import type { Cli } from './cli.ts'
import { readInstant } from './enqueue/instant.ts'
import { usageFailure } from './failure.ts'
import { checkFlags, numberOrText } from './flags.ts'

/** The flags that say how a job is stored and run, as they were written. */
export interface JobFlags {
  readonly maxRetries?: string
  readonly retryPolicy?: string
  readonly priority?: string
  readonly delay?: string
  readonly runAt?: string
  readonly timeout?: string
  readonly metadata?: string
  readonly tag?: readonly string[]
}

/** Only what was given: a FIFO queue refuses `priority` whatever its value. The library checks the rest. */
export function readJobOptions(flags: JobFlags): JobOptions {
  const { maxRetries, retryPolicy, priority, delay, runAt, timeout, metadata, tag } = flags
  const options: Record<string, unknown> = {
    maxRetries: maxRetries === undefined ? undefined : numberOrText(maxRetries),
    retryPolicy,
    priority: priority === undefined ? undefined : numberOrText(priority),
    delay,
    runAt: runAt === undefined ? undefined : checkFlags(() => readInstant(runAt, 'runAt')),
    timeout,
    metadata: metadata === undefined ? undefined : parseMetadata(metadata),
    tags: tag,
  }
  return options
}

/** Reads `--metadata`, an object as JSON. */
export function parseMetadata(text: string): unknown {
  return parseJson(text, `--metadata is not JSON: it takes an object such as '{"tenant":7}'.`)
}

/** Reads `--args`: JSON on the command line, or on standard input for `-`. */
export async function readArgs(text: string, { stdin }: Cli): Promise<unknown> {
  const expected = `the arguments of a job, such as '{"to":"ada@example.org"}'`
  if (text !== '-') return parseJson(text, `--args is not JSON: it takes ${expected}.`)
  return parseJson(readUtf8(await buffer(stdin)), `Standard input is not JSON: pass ${expected}.`)
}

/** With or without a byte order mark. */
function readUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw usageFailure('Standard input is not UTF-8.', error)
  }
}

function parseJson(text: string, sentence: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw usageFailure(sentence, error)
  }
}
