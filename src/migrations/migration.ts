/** One step of the schema. Files are only ever added; a step that was released never changes. */
export interface Migration {
  /** Position in the order, from 1 without gaps. */
  readonly version: number
  /** What it is about, for `migrationStatus` and the file name. */
  readonly name: string
  /** The `LATEST_VERSION` of the oldest code that still works once this step was applied. */
  readonly oldestCode: number
  /**
   * Statements that apply it, one each and without a semicolon at the end, because not every
   * client takes several at once. The placeholders are those of `fillSchema`.
   */
  readonly up: readonly string[]
  /** Statements that take it back. */
  readonly down: readonly string[]
}
