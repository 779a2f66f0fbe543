import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import path from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import type { Cli } from '../cli.ts'
import { describeFileError, Failure } from '../failure.ts'
import { printable } from '../terminal/printable.ts'

const CHUNK_BYTES = 256 * 1024

/** Where lines come from. */
export interface LineInput {
  /** For messages. */
  readonly name: string
  /** Undefined where that can't be known before the end, as of a pipe. */
  readonly bytes: number | undefined
  /** Whether it can be read again from its beginning. */
  readonly isRepeatable: boolean
  /** Its bytes from the first on, until the end or until the signal aborts, upon which it throws. */
  read(signal: AbortSignal): AsyncIterable<Buffer>
}

/** Standard input for `-`, otherwise a file, of which is seen here and now that it can be read. */
export async function openInput(file: string, cli: Cli): Promise<LineInput> {
  if (file === '-') return standardInput(cli.stdin)
  const fullPath = path.resolve(cli.cwd, file)
  const shown = printable(file)
  try {
    await (await open(fullPath, 'r')).close()
    const stats = await stat(fullPath)
    if (stats.isDirectory())
      throw new Failure(`${shown} is a folder: name a file with a job a line.`)
    const isRepeatable = stats.isFile()
    return {
      name: shown,
      bytes: isRepeatable ? stats.size : undefined,
      isRepeatable,
      read: (signal) =>
        withoutErrno(createReadStream(fullPath, { signal, highWaterMark: CHUNK_BYTES }), shown),
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(`The file ${shown} ${describeFileError(error)}.`, { cause: error })
  }
}

function standardInput(stdin: Readable): LineInput {
  const name = 'standard input'
  return {
    name,
    bytes: undefined,
    isRepeatable: false,
    read: (signal) => withoutErrno(addAbortSignal(signal, stdin), name),
  }
}

/** What goes wrong in the middle of a file is said in words. */
async function* withoutErrno(stream: Readable, name: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream)
      yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    throw new Failure(`Reading ${name} failed in the middle: it ${describeFileError(error)}.`, {
      cause: error,
    })
  }
}
