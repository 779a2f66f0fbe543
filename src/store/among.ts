/*
 * Looking jobs up by a list of ids. Beside the list stands the range that it lies in: before PostgreSQL 17 the planner,
 * on a table that it believes empty, takes the list for a filter, and without the range each claim and each settle
 * read all 300,000 jobs of a queue (docs/adr/0003-plans-for-a-table-believed-empty.md).
 */

/** That `column` is one of the ids in the array parameter `ids`, which must be sorted in ascending order. */
export function isAmong(column: string, ids: string): string {
  const list = `(${ids}::int8[])`
  return `${column} = any(${ids}::int8[])
    and ${column} between ${list}[1] and ${list}[cardinality(${ids}::int8[])]`
}

/** That `column` is one of the ids that a common table expression answers, evaluated first. */
export function isAmongThose(column: string, expression: string, id = 'id'): string {
  const ids = `${expression}.${id}`
  return `${column} = any(array(select ${ids} from ${expression}))
    and ${column} between (select min(${ids}) from ${expression}) and (select max(${ids}) from ${expression})`
}
