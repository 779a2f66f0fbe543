/** What a process of `millrace` exits with. `docs/cli.md` and `millrace --help` list them. */
export const EXIT = {
  /** Everything that was asked for is done. */
  done: 0,
  /** Something failed: the database cannot be reached, a job is not there, the answer is no, the doctor found an error. */
  failed: 1,
  /** The command line is wrong; nothing was done. */
  usage: 2,
  /** A part of what was asked for is done: the others were refused, and are listed. */
  partly: 3,
  /** `migrate status`: there are migrations to apply. */
  pending: 4,
  /** Ended by SIGINT (Ctrl-C) before it was done. */
  interrupted: 130,
  /** Ended by SIGTERM before it was done. */
  terminated: 143,
} as const

/** One of the codes above. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Something that the person at the command line can put right. Its message is one clear sentence for them. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exitCode: ExitCode

  constructor(message: string, options: { exitCode?: ExitCode; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.exitCode = options.exitCode ?? EXIT.failed
  }
}

/** The command line is wrong. */
export function usageFailure(message: string, cause?: unknown): Failure {
  return new Failure(message, { exitCode: EXIT.usage, cause })
}

/** The `code` that Node.js and PostgreSQL give their errors, such as `ENOENT` or `28P01`. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EACCES: 'may not be opened',
  EPERM: 'may not be opened',
  EISDIR: 'is a folder',
  ENOTDIR: 'is not a folder',
  EEXIST: 'is not a folder',
  ELOOP: 'is a link that leads to itself',
  ENAMETOOLONG: 'has too long a name',
  EIO: 'cannot be read from its disk',
  ENOSPC: 'is on a disk that is full',
  EROFS: 'is on a disk that nobody may write to',
}

/** What is wrong with a file, as the end of a sentence about it. */
export function describeFileError(error: unknown): string {
  const code = codeOf(error)
  if (code === undefined) return `failed: ${String(error)}`
  return `${FILE_ERRORS[code] ?? 'cannot be used'} (${code})`
}
