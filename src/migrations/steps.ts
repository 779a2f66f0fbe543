import { fillSchema, quoteLiteral } from '../core/identifiers.ts'
import type { Migration } from './migration.ts'

/*
 * What a step of the schema is, statement by statement. `migrateUp` and `migrateDown` run these,
 * `migrationSql` prints them; so what a DBA runs by hand is what we would have run.
 */

/** The comment by which the way down knows that the schema itself was made by us. */
const SCHEMA_COMMENT = 'Made by millrace'

/** What migrating a schema locks: a hash of its name, as the schema need not exist yet. */
const LOCK_KEY = `hashtextextended('millrace migrations of ' || {schema_name}, 0)`

/**
 * Made only where it is missing, because `create schema if not exists` asks for the right to
 * create schemas even where there is nothing to create. Somebody else may be quicker.
 */
const CREATE_SCHEMA = `do {body}
begin
  if not exists (select from pg_catalog.pg_namespace where nspname = {schema_name}) then
    create schema {schema};
    comment on schema {schema} is ${quoteLiteral(SCHEMA_COMMENT)};
  end if;
exception
  when duplicate_schema or unique_violation then
    null;
end
{body}`

const CREATE_BOOKKEEPING = `create table {schema}.migrations (
  version int primary key,
  name text not null,
  oldest_code int not null, -- the version of the oldest code that works on this schema
  applied_at timestamptz not null default statement_timestamp()
)`

const DROP_BOOKKEEPING = 'drop table {schema}.migrations'

/** Only a schema that we made, that is ours to drop, and that holds nothing of anybody else. */
const DROP_SCHEMA = `do {body}
begin
  if exists (
    select
    from pg_catalog.pg_namespace
    where nspname = {schema_name}
      and pg_catalog.obj_description(oid, 'pg_namespace') = ${quoteLiteral(SCHEMA_COMMENT)}
  ) then
    drop schema {schema} restrict;
  end if;
exception
  when dependent_objects_still_exist or insufficient_privilege then
    null;
end
{body}`

/**
 * Whoever changes a table in use waits for those who use it, and meanwhile all others wait behind that: so for a moment
 * only, and then `migrateUp` tries again.
 */
const WAIT_BRIEFLY = `set local lock_timeout = '200ms'`

/** Waits until nobody else migrates this schema, and keeps others out until the transaction ends. */
export function lockStatement(schema: string): string {
  return fillSchema(`select pg_advisory_xact_lock(${LOCK_KEY})`, schema)
}

/** The same without waiting: `is_ours` says whether the lock was free. */
export function tryLockStatement(schema: string): string {
  return fillSchema(`select pg_try_advisory_xact_lock(${LOCK_KEY}) as is_ours`, schema)
}

/** The statements that apply `migration`, bookkeeping included. */
export function upStatements(migration: Migration, schema: string): string[] {
  const { version, name, oldestCode } = migration
  const statements = [
    ...(version === 1 ? [CREATE_SCHEMA, CREATE_BOOKKEEPING] : [WAIT_BRIEFLY]),
    ...migration.up,
    `insert into {schema}.migrations (version, name, oldest_code) values (${version}, ${quoteLiteral(name)}, ${oldestCode})`,
  ]
  return statements.map((sql) => fillSchema(sql.trim(), schema))
}

/** The statements that take `migration` back, bookkeeping included. */
export function downStatements(migration: Migration, schema: string): string[] {
  const { version } = migration
  const statements = [
    ...(version === 1 ? [] : [WAIT_BRIEFLY]),
    ...migration.down,
    `delete from {schema}.migrations where version = ${version}`,
    ...(version === 1 ? [DROP_BOOKKEEPING, DROP_SCHEMA] : []),
  ]
  return statements.map((sql) => fillSchema(sql.trim(), schema))
}
