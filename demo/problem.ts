/** Something that the person who started the demo can put right. Its message is one clear sentence for them. */
export class Problem extends Error {
  override readonly name = 'Problem'
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
  EISDIR: 'is a folder by now',
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
