import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { kindOf } from './kinds.ts'
import { describeFileError } from '../failure.ts'

const compress = promisify(gzip)

const NEWLINE = 0x0a
/** A zero byte among the first bytes means binary: the rule of git. */
const SNIFFED_BYTES = 8_000

/** What is found out about a file. */
export interface FileFacts {
  readonly kind: string
  readonly bytes: number
  readonly gzipBytes: number
  /** Null where the file is not text. */
  readonly lines: number | null
  readonly sha256: string
}

/** Reads a file and finds out what it is. */
export async function analyse(file: string, signal: AbortSignal): Promise<FileFacts> {
  const content = await read(file, signal)
  const isText = !content.subarray(0, SNIFFED_BYTES).includes(0)
  const compressed = await compress(content)
  return {
    kind: kindOf(file, isText),
    bytes: content.length,
    gzipBytes: compressed.length,
    lines: isText ? countLines(content) : null,
    sha256: createHash('sha256').update(content).digest('hex'),
  }
}

/** The message of an error is what somebody reads in the dead-letter queue: so it says in words what happened. */
async function read(file: string, signal: AbortSignal): Promise<Buffer> {
  try {
    return await readFile(file, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw new Error(`${path.basename(file)} ${describeFileError(error)}`, { cause: error })
  }
}

function countLines(content: Buffer): number {
  let lines = 0
  for (let at = content.indexOf(NEWLINE); at !== -1; at = content.indexOf(NEWLINE, at + 1)) {
    lines += 1
  }
  const endsOpen = content.length > 0 && content.at(-1) !== NEWLINE
  return endsOpen ? lines + 1 : lines
}
