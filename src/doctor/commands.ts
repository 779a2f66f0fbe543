import { quoteIdentifier, quoteLiteral } from '../core/identifiers.ts'
import type { OptionDifference } from './storage-options.ts'

/*
 * The SQL that people are told to run. Nothing here is ever run by Millrace. Schemas and roles come quoted, where they
 * need it, from the server; the names of Millrace's own tables and indexes need no quotes.
 */

export function endSession(processId: number): string {
  return `select pg_terminate_backend(${processId});`
}

export function rollBackPrepared(name: string): string {
  return `rollback prepared ${quoteLiteral(name)}; -- or: commit prepared ${quoteLiteral(name)};`
}

export function dropSlot(name: string): string {
  return `select pg_drop_replication_slot(${quoteLiteral(name)});`
}

/** For settings of the server; the second statement makes it read them. */
export function setSetting(name: string, value: string): [string, string] {
  return [`alter system set ${name} = ${value};`, 'select pg_reload_conf();']
}

export function letTableBeVacuumed(schema: string, table: string): string {
  return `alter table ${schema}.${table} reset (autovacuum_enabled);`
}

export function vacuumTable(schema: string, table: string): string {
  return `vacuum (analyze) ${schema}.${table};`
}

/** Nobody can use the table meanwhile. */
export function rewriteTable(schema: string, table: string): string {
  return `vacuum (full, analyze) ${schema}.${table};`
}

export function rebuildIndex(schema: string, index: string): string {
  return `reindex index concurrently ${schema}.${quoteIfNeeded(index)};`
}

export function dropIndex(schema: string, index: string): string {
  return `drop index concurrently ${schema}.${quoteIfNeeded(index)};`
}

/** From the definition as the catalog has it. An index of a partitioned table cannot be built beside its users. */
export function createIndex(definition: string): string {
  const start = definition.includes(' ON ONLY ') ? 'create index' : 'create index concurrently'
  const rest = definition
    .replace(/^CREATE INDEX /, '')
    .replace(/ ON (ONLY )?/, ' on ')
    .replace(' USING btree ', ' ')
  return `${start} ${rest};`
}

export function addConstraint(schema: string, table: string, name: string, text: string): string {
  return `alter table ${schema}.${table} add constraint ${quoteIfNeeded(name)} ${text};`
}

export function dropConstraint(schema: string, table: string, name: string): string {
  return `alter table ${schema}.${table} drop constraint ${quoteIfNeeded(name)};`
}

export function dropTrigger(schema: string, table: string, name: string): string {
  return `drop trigger ${quoteIfNeeded(name)} on ${schema}.${table};`
}

/** Sets what is wrong or missing, and resets what is too much. */
export function setOptions(
  schema: string,
  table: string,
  options: readonly OptionDifference[],
): string[] {
  const alter = `alter table ${schema}.${table}`
  const set = options.flatMap(({ name, wanted }) =>
    wanted === undefined ? [] : `${name} = ${wanted}`,
  )
  const reset = options.filter(({ wanted }) => wanted === undefined).map(({ name }) => name)
  return [
    ...(set.length > 0 ? [`${alter} set (${set.join(', ')});`] : []),
    ...(reset.length > 0 ? [`${alter} reset (${reset.join(', ')});`] : []),
  ]
}

/** The tables whose rows are oldest, and what makes them young again. */
export const LIST_OLDEST_TABLES =
  "select oid::regclass, age(relfrozenxid) from pg_class where relkind in ('r', 'm', 't') order by 2 desc limit 10;"
export const FREEZE_TABLE = 'vacuum (freeze, verbose) <table>;'

export function grant(rights: string, what: string, role: string): string {
  return `grant ${rights} on ${what} to ${role};`
}

export function grantMembership(of: string, role: string): string {
  return `grant ${of} to ${role};`
}

function quoteIfNeeded(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdentifier(name)
}
