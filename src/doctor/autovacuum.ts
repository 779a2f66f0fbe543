import { showNumber } from '../core/show.ts'
import { showCount, showTime } from '../core/words.ts'
import type { DBTX } from '../drivers/driver.ts'
import { readSchemaAge } from '../store/examination.ts'
import { readOnly } from '../store/read-only.ts'
import type { Check } from './check.ts'
import { letTableBeVacuumed, setSetting, vacuumTable } from './commands.ts'
import { OUR_TABLES } from './expected-schema.ts'
import { failure, ok, warning, withCommands, type Observation } from './finding.ts'
import { showQuery } from './query-text.ts'
import type { Subject } from './subject.ts'
import {
  LIST_DEAD_ROWS,
  LIST_VACUUMS,
  READ_AUTOVACUUM,
  type Settings,
  type Table,
  type Vacuum,
} from './vacuum-facts.ts'

/** Whether autovacuum is on, comes to Millrace's tables, and in time. */
export const autovacuum: Check = {
  name: 'autovacuum',
  group: 'Upkeep',
  readsTables: true,
  notEmbedded: 'The embedded database has no background processes; `vacuum` works there by hand.',
  run: (subject) => readOnly(subject.store, (tx) => look(subject, tx)),
}

async function look(subject: Subject, tx: DBTX): Promise<Observation[]> {
  const { store } = subject
  const [settings] = await store.run<Settings>(READ_AUTOVACUUM, [], tx)
  const all = await store.run<Table>(LIST_DEAD_ROWS, [store.schema], tx)
  const tables = all.filter(({ table }) => OUR_TABLES.has(table) || /^history_\d{8}$/.test(table))
  const lagging = await findLagging(tables, subject, tx)
  const vacuums = await store.run<Vacuum>(LIST_VACUUMS, [], tx)
  const observations = [
    ...observeSettings(settings),
    ...tables.filter(({ isEnabled }) => !isEnabled).map((table) => switchedOff(table, subject)),
    ...lagging.map((table) => lagOf(table, subject)),
    ...observeBusy(vacuums, settings?.maxWorkers ?? Infinity, subject),
  ]
  if (observations.length > 0) return observations
  const most = tables.reduce((sum, { deadRows }) => Math.max(sum, Number(deadRows)), 0)
  const message = `Autovacuum is on and keeps up: no table has more than ${showCount(most, 'dead row')}.`
  return [ok(message, { mostDeadRows: most })]
}

function observeSettings(settings: Settings | undefined): Observation[] {
  const off = [
    ...(settings?.isOn === false ? ['autovacuum'] : []),
    ...(settings?.isCounting === false ? ['track_counts'] : []),
  ]
  return off.map((setting) =>
    failure(
      `The server's setting ${setting} is off: dead rows are never removed, and the tables grow without end.`,
      withCommands('Switch it on, as an administrator:', ...setSetting(setting, 'on')),
      { setting },
    ),
  )
}

function switchedOff({ table }: Table, { server }: Subject): Observation {
  return failure(
    `Autovacuum is off for the table ${table}: its dead rows are never removed, and it grows without end.`,
    withCommands(
      'Switch it on, as the owner of the table:',
      letTableBeVacuumed(server.quotedSchema, table),
    ),
    { table },
  )
}

/** Far more dead rows than autovacuum waits for, and for long nobody was there. */
async function findLagging(
  tables: readonly Table[],
  { store, limits }: Subject,
  tx: DBTX,
): Promise<Table[]> {
  const full = tables.filter(({ deadRows, beginsAt }) => {
    return Number(deadRows) > limits.deadRowsFactor * Number(beginsAt)
  })
  if (full.length === 0) return []
  const schemaAgeMs = await readSchemaAge(store, tx) // a new table was never vacuumed
  return full.filter(({ vacuumedForMs }) => Number(vacuumedForMs ?? schemaAgeMs) >= limits.vacuumMs)
}

function lagOf({ table, deadRows, beginsAt, vacuumedForMs }: Table, subject: Subject): Observation {
  const last =
    vacuumedForMs === null ? 'never came' : `came last ${showTime(Number(vacuumedForMs))} ago`
  const message = `The table ${table} has ${showCount(Number(deadRows), 'dead row')}; autovacuum begins at ${showNumber(Number(beginsAt))}, and ${last}.`
  const remedy = withCommands(
    'Do its work once, then find out why it does not: other tables keep its workers busy (autovacuum_max_workers), or it ' +
      'is held to a slow pace (autovacuum_vacuum_cost_limit).',
    vacuumTable(subject.server.quotedSchema, table),
  )
  const facts = { deadRows: Number(deadRows), beginsAt: Number(beginsAt) }
  const vacuumed = vacuumedForMs === null ? null : Number(vacuumedForMs)
  return warning(message, remedy, { table, ...facts, vacuumedForMs: vacuumed })
}

/** All workers of autovacuum are at tables of others, and have been for long. */
function observeBusy(
  vacuums: readonly Vacuum[],
  maxWorkers: number,
  { limits }: Subject,
): Observation[] {
  const shortest = Math.min(...vacuums.map(({ busyForMs }) => Number(busyForMs)))
  if (vacuums.length < maxWorkers || shortest < limits.vacuumMs) return []
  const queries = vacuums.map(({ query }) => showQuery(query))
  const message = `All of the server's autovacuum workers (${maxWorkers}) have been busy for ${showTime(shortest)} or longer, and other tables wait: ${queries.join(', ')}.`
  const remedy = withCommands(
    'Let them go faster, or let there be more of them (before PostgreSQL 18 that takes a restart):',
    ...setSetting('autovacuum_vacuum_cost_limit', '2000'),
  )
  return [warning(message, remedy, { maxWorkers, shortestMs: shortest, queries })]
}
