import { fillSchema, resolveSchema } from '../core/identifiers.ts'
import { LATEST_VERSION, migrations } from './all.ts'
import { resolveOptions, resolveVersion } from './options.ts'
import { downStatements, lockStatement, upStatements } from './steps.ts'

/** What `migrationSql` takes. */
export interface MigrationSqlOptions {
  /** The schema that the script is for. @default 'millrace' */
  schema?: string | undefined
  /** The version from which it goes. @default 0 */
  from?: number | undefined
  /** The version to which it goes; below `from` it is the way back. @default the latest */
  to?: number | undefined
}

/**
 * The SQL that `migrateUp` or `migrateDown` would run, as a script for a DBA and psql. Each step
 * is a transaction that refuses a schema which is not where the step begins.
 */
export function migrationSql(options?: MigrationSqlOptions): string {
  const given = resolveOptions('migrationSql', options, ['schema', 'from', 'to'])
  const schema = resolveSchema(given.schema)
  const { from = 0, to = LATEST_VERSION } = given
  resolveVersion('from', from)
  resolveVersion('to', to)
  return from <= to ? printUp(schema, from, to) : printDown(schema, from, to)
}

function printUp(schema: string, from: number, to: number): string {
  const steps = migrations.slice(from, to)
  return printScript(
    steps.map((step) => {
      const title = `${step.version} ${step.name}: up`
      return printStep(title, schema, step.version - 1, upStatements(step, schema))
    }),
  )
}

function printDown(schema: string, from: number, to: number): string {
  const steps = migrations.slice(to, from).reverse()
  return printScript(
    steps.map((step) => {
      const title = `${step.version} ${step.name}: down`
      return printStep(title, schema, step.version, downStatements(step, schema))
    }),
  )
}

const HEADER = `-- Run as the role that is to own the tables: psql -v ON_ERROR_STOP=1 -f this-file
`

function printScript(steps: readonly string[]): string {
  return [HEADER, ...steps].join('\n')
}

function printStep(
  title: string,
  schema: string,
  expected: number,
  statements: readonly string[],
): string {
  const all = [
    'begin isolation level read committed',
    lockStatement(schema),
    guard(schema, expected),
    ...statements,
    'commit',
  ]
  return `-- millrace ${title}\n\n${all.map((statement) => `${statement};\n`).join('\n')}`
}

/** Refuses a schema that is not at the version where the step begins. */
const GUARD = `do {body}
declare
  current int := 0;
begin
  if to_regclass('{schema}.migrations') is not null then
    select coalesce(max(version), 0) into current from {schema}.migrations;
  end if;
  if current <> {expected} then
    raise exception 'the schema is at version %, but this step begins at {expected}', current;
  end if;
end
{body}`

function guard(schema: string, expected: number): string {
  return fillSchema(GUARD.replaceAll('{expected}', String(expected)), schema)
}
