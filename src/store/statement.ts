/**
 * One static SQL statement. Every statement of Millrace is a constant of this kind in this room; those of the doctor
 * that name no table, but ask the catalog, stand beside their checks.
 */
export interface Statement {
  /** The name by which tests and messages speak of it. */
  readonly name: string
  /** The text; `{schema}` stands for the quoted schema. */
  readonly sql: string
  /** The SQL types of `$1`, `$2` …, which a test compares with what PostgreSQL infers. */
  readonly parameters: readonly string[]
  /** Indexes that the plan must use when sequential scans are off; a test asks EXPLAIN. */
  readonly indexes: readonly string[]
  /**
   * Whether a connection may keep its plan: only where one plan is right however full the tables are, which a test
   * proves on a table that was drained and filled again (docs/adr/0003, 0019).
   */
  readonly isPrepared?: true
}

/** Declares a statement. Does nothing but check the shape at compile time. */
export function statement(definition: Statement): Statement {
  return definition
}

/** Whether `value` is a statement; the tests that read the exports of rooms ask. */
export function isStatement(value: unknown): value is Statement {
  return typeof value === 'object' && value !== null && 'sql' in value && 'parameters' in value
}
