import type { DBTX } from '../drivers/driver.ts'
import { LATEST_VERSION } from '../migrations/all.ts'
import { readOnly } from '../store/read-only.ts'
import { statement } from '../store/statement.ts'
import type { Check } from './check.ts'
import { dropIndex, rebuildIndex } from './commands.ts'
import { describeSchema } from './described-schema.ts'
import { compare, type Difference } from './differences.ts'
import { EXPECTED_PARTS, OUR_TABLES } from './expected-schema.ts'
import { failure, ok, skipped, warning, withCommands, type Observation } from './finding.ts'
import { remedyFor } from './repairs.ts'
import { compareOptions, showOption } from './storage-options.ts'
import type { Subject } from './subject.ts'

/** Indexes that PostgreSQL does not use, or not yet. */
export const LIST_INVALID_INDEXES = statement({
  name: 'list_invalid_indexes',
  parameters: ['text'],
  indexes: [],
  sql: `
select relation.relname::text as "name", owner.relname::text as "table"
from pg_catalog.pg_namespace as namespace
join pg_catalog.pg_class as relation on relation.relnamespace = namespace.oid
join pg_catalog.pg_index as entry on entry.indexrelid = relation.oid
join pg_catalog.pg_class as owner on owner.oid = entry.indrelid
where namespace.nspname = $1::text and not (entry.indisvalid and entry.indisready and entry.indislive)
order by relation.relname`,
})

/** Whether the schema is as migrations make it. */
export const drift: Check = {
  name: 'drift',
  group: 'Schema',
  readsTables: true,
  run: (subject) => readOnly(subject.store, (tx) => look(subject, tx)),
}

async function look(subject: Subject, tx: DBTX): Promise<Observation[]> {
  const { standing } = subject
  if (standing.kind === 'usable' && standing.current > LATEST_VERSION) {
    return [skipped('The schema is newer than this release: only its own knows how it should be.')]
  }
  const differences = compare(EXPECTED_PARTS, await describeSchema(subject, tx))
  const observations = [
    ...differences.map((difference) => observe(difference, subject)),
    ...(await invalidIndexes(subject, tx)),
  ]
  if (observations.length > 0) return observations
  return [ok(`All ${EXPECTED_PARTS.length} parts of the schema are as migrations make them.`)]
}

function observe(difference: Difference, subject: Subject): Observation {
  const { kind, name, change } = difference
  const filled = (text: string): string =>
    text.replaceAll('{schema}', () => subject.server.quotedSchema)
  const expected = change === 'additional' ? null : filled(difference.text)
  const found = difference.found === undefined ? null : filled(difference.found)
  const remedy = remedyFor(difference, subject)
  const details = { kind, name, change, expected, found }
  if (change === 'missing') return failure(`The ${kind} ${name} is missing.`, remedy, details)
  if (change === 'additional') {
    const message = `Migrations do not make the ${kind} ${name}: ${found}.`
    return warning(message, remedy, details)
  }
  if (kind === 'options') {
    const options = compareOptions(expected ?? 'none', found ?? 'none').map(showOption)
    const message = `The storage options of the table ${name} are not as migrations make them: ${options.join('; ')}.`
    return warning(message, remedy, details)
  }
  const message = `The ${kind} ${name} is not as migrations make it: ${found}, not ${expected}.`
  return failure(message, remedy, details)
}

async function invalidIndexes(
  { store, server: { quotedSchema } }: Subject,
  tx: DBTX,
): Promise<Observation[]> {
  type Row = { name: string; table: string }
  const rows = await store.run<Row>(LIST_INVALID_INDEXES, [store.schema], tx)
  return rows
    .filter(({ table }) => OUR_TABLES.has(table) || table.startsWith('history_'))
    .map(({ name, table }) => {
      const isLeft = /_cc(new|old)\d*$/.test(name)
      const repair = isLeft ? dropIndex(quotedSchema, name) : rebuildIndex(quotedSchema, name)
      return failure(
        `The index ${name} of ${table} is invalid: a build of it failed, or is under way. Nothing is found by it.`,
        withCommands('If nobody builds it right now:', repair),
        { index: name, table },
      )
    })
}
