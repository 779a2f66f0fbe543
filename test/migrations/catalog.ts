import { quoteIdentifier, quoteLiteral } from '../../src/core/identifiers.ts'
import { rowsOf, valueOf, type Queryable } from './arrange.ts'

/** Everything that the catalog says about a schema, in words that do not depend on its name. */
export async function describeSchema(db: Queryable, schema: string): Promise<string[]> {
  const lines = await rowsOf(
    db,
    DESCRIPTION.replaceAll('{name}', () => quoteLiteral(schema)),
  )
  return lines.map(({ line }) =>
    String(line).replaceAll(quoteIdentifier(schema), '{schema}').replaceAll(schema, '{schema}'),
  )
}

const DESCRIPTION = `
with namespace as (
  select oid from pg_namespace where nspname = {name}
), described as (
  select format('schema: %s', obj_description(oid, 'pg_namespace')) as line from namespace
  union all
  select format('%s %s %s %s', relkind, relname, reloptions, relacl) from pg_class
  where relnamespace = (select oid from namespace)
  union all
  select format(
    'column %s.%s %s %s not null %s identity %s default %s',
    relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
    pg_get_expr(adbin, adrelid)
  )
  from pg_class
    join pg_attribute on attrelid = pg_class.oid and attnum > 0
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where relnamespace = (select oid from namespace)
  union all
  select format('constraint %s %s', conname, pg_get_constraintdef(oid)) from pg_constraint
  where connamespace = (select oid from namespace)
  union all
  select indexdef from pg_indexes where schemaname = {name}
  union all
  select format('function %s %s', pg_get_functiondef(oid), proacl) from pg_proc
  where pronamespace = (select oid from namespace)
  union all
  select format('enum %s %s %s', typname, enumsortorder, enumlabel)
  from pg_type
    join pg_enum on enumtypid = pg_type.oid
  where typnamespace = (select oid from namespace)
  union all
  select format('sequence %s %s', sequencename, data_type) from pg_sequences
  where schemaname = {name}
)
select line from described order by line`

/** How many rows each catalog has that a forgotten object would be in. */
export function countCatalog(db: Queryable) {
  return valueOf(
    db,
    `select jsonb_build_object(
       'namespaces', (select count(*) from pg_namespace where nspname !~ '^pg_(toast_)?temp_'),
       'relations', (select count(*) from pg_class),
       'types', (select count(*) from pg_type),
       'functions', (select count(*) from pg_proc),
       'constraints', (select count(*) from pg_constraint),
       'comments', (select count(*) from pg_description),
       'dependencies', (select count(*) from pg_depend),
       'schemas', (select jsonb_agg(nspname order by nspname) from pg_namespace
                   where nspname !~ '^pg_')
     )`,
  )
}
