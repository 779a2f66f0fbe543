import { readOnly } from '../store/read-only.ts'
import { statement } from '../store/statement.ts'
import type { Check } from './check.ts'
import { grant } from './commands.ts'
import { failure, ok, skipped, withCommands, type Observation } from './finding.ts'
import type { Subject } from './subject.ts'

const ALL = ['select', 'insert', 'update', 'delete']

/** What a role needs that enqueues and runs jobs: what docs/roles.md grants, and a test compares. */
export const NEEDED: Readonly<Record<string, readonly string[]>> = {
  migrations: ['select'],
  queues: ALL,
  workers: ALL,
  jobs: ALL,
  job_errors: ALL,
  suspects: ALL,
  marks: ALL,
  job_progress: ALL,
  job_logs: ALL,
  history: ALL,
  tallies: ALL,
  statistics: ALL,
  audit: ALL,
  job_ids: ['usage'],
  'add_history_partition(date)': ['execute'],
  'drop_history_partition(date)': ['execute'],
}

/** Every right that could be needed in a schema, and whether the role has it. */
export const LIST_PRIVILEGES = statement({
  name: 'list_privileges',
  parameters: ['text', 'text'],
  indexes: [],
  sql: `
select
  'schema' as "kind", namespace.nspname::text as "object", 'usage' as "right",
  has_schema_privilege($2::text::name, namespace.oid, 'usage') as "isGranted"
from pg_catalog.pg_namespace as namespace
where namespace.nspname = $1::text
union all
select
  'table', relation.relname::text, wanted.privilege,
  has_table_privilege($2::text::name, relation.oid, wanted.privilege)
from pg_catalog.pg_namespace as namespace
join pg_catalog.pg_class as relation on relation.relnamespace = namespace.oid
cross join unnest(array['select', 'insert', 'update', 'delete']) as wanted (privilege)
where namespace.nspname = $1::text
  and relation.relkind in ('r', 'p')
  and not relation.relispartition
union all
select
  'sequence', relation.relname::text, 'usage',
  has_sequence_privilege($2::text::name, relation.oid, 'usage')
from pg_catalog.pg_namespace as namespace
join pg_catalog.pg_class as relation on relation.relnamespace = namespace.oid
where namespace.nspname = $1::text and relation.relkind = 'S'
union all
select
  'function', format('%s(%s)', routine.proname, oidvectortypes(routine.proargtypes)), 'execute',
  has_function_privilege($2::text::name, routine.oid, 'execute')
from pg_catalog.pg_namespace as namespace
join pg_catalog.pg_proc as routine on routine.pronamespace = namespace.oid
where namespace.nspname = $1::text
order by "kind", "object", "right"`,
})

interface Privilege {
  readonly kind: 'schema' | 'table' | 'sequence' | 'function'
  readonly object: string
  readonly right: string
  readonly isGranted: boolean
}

/** Whether the role may do what enqueueing and running jobs takes. */
export const privileges: Check = {
  name: 'privileges',
  group: 'Schema',
  async run(subject) {
    const { store, role } = subject
    if (!role.exists) {
      const remedy = 'Name a role that there is: they are listed in pg_roles.'
      return [failure(`There is no role ${role.quotedName} on this server.`, remedy)]
    }
    const all = await readOnly(store, (tx) =>
      store.run<Privilege>(LIST_PRIVILEGES, [store.schema, role.name], tx),
    )
    const needed = all.filter(isNeeded)
    if (needed.length === 0) return [skipped('The schema is not there.')]
    const missing = needed
      .filter(({ isGranted }) => !isGranted)
      .sort((left, right) => rankOf(left) - rankOf(right))
    if (missing.length === 0) return [ok(`${role.quotedName} may do all that workers do.`)]
    if (onlyReads(needed)) return [readerOf(subject)]
    return [lacking(missing, subject)]
  },
}

function isNeeded({ kind, object, right }: Privilege): boolean {
  return kind === 'schema' || NEEDED[object]?.includes(right) === true
}

/** In the order of `NEEDED`, the schema first. */
function rankOf({ object, right }: Privilege): number {
  return 10 * OBJECTS.indexOf(object) + (NEEDED[object]?.indexOf(right) ?? 0)
}

const OBJECTS = Object.keys(NEEDED)

/** It reads, and was granted nothing else: it was not meant to work. */
function onlyReads(needed: readonly Privilege[]): boolean {
  return needed
    .filter(({ kind }) => kind === 'schema' || kind === 'table')
    .every(({ right, isGranted }) => isGranted === (right === 'select' || right === 'usage'))
}

function readerOf({ role }: Subject): Observation {
  const remedy = withCommands(
    'Look at the rights of the role that workers have:',
    'millrace doctor --role <name>',
  )
  return skipped(`${role.quotedName} only reads, so it is not the role of workers.`, remedy)
}

function lacking(missing: readonly Privilege[], { role, server }: Subject): Observation {
  const groups = grouped(missing)
  const lacks = groups.map(({ kind, rights, objects }) =>
    kind === 'schema' ? `${rights} of the schema` : `${rights} on ${objects.join(', ')}`,
  )
  const grants = groups.map(({ kind, rights, objects }) => {
    const names = objects.map((object) =>
      kind === 'schema' ? server.quotedSchema : `${server.quotedSchema}.${object}`,
    )
    return grant(rights, `${kind} ${names.join(', ')}`, role.quotedName)
  })
  return failure(
    `${role.quotedName} lacks rights that workers need: ${lacks.join('; ')}.`,
    withCommands('Grant them, as the owner of the schema:', ...grants),
    {
      role: role.name,
      missing: missing.map(({ kind, object, right }) => ({ kind, object, right })),
    },
  )
}

interface Group {
  readonly kind: Privilege['kind']
  /** `insert, update` */
  readonly rights: string
  readonly objects: string[]
}

/** Objects of one kind that lack the same rights go into one grant. */
function grouped(missing: readonly Privilege[]): Group[] {
  const ofObject = new Map<string, Privilege[]>()
  for (const privilege of missing) {
    const key = `${privilege.kind} ${privilege.object}`
    ofObject.set(key, [...(ofObject.get(key) ?? []), privilege])
  }
  const groups = new Map<string, Group>()
  for (const [first, ...others] of ofObject.values()) {
    if (first === undefined) continue
    const rights = [first, ...others].map(({ right }) => right).join(', ')
    const key = `${first.kind} ${rights}`
    const group = groups.get(key) ?? { kind: first.kind, rights, objects: [] }
    group.objects.push(first.object)
    groups.set(key, group)
  }
  return [...groups.values()]
}
