/**
 * Partitions of `history` are made and removed by the runtime role, which has no DDL. So both
 * functions are `security definer`: they run as the role that migrated, do one thing each, and
 * take nothing from the caller but a day. The fixed search path keeps a caller's own objects out
 * of them, and they touch nothing but partitions of this very table.
 *
 * A day runs from 00:00 UTC to 00:00 UTC, whatever the time zone of the session.
 */
export const historyPartitionFunctions: readonly string[] = [
  // Made apart and attached: ATTACH takes a lock that neither readers nor settles mind, while
  // CREATE TABLE … PARTITION OF behind one open reader stopped every settle. A new table is
  // empty, so the scan that ATTACH makes of it costs nothing, and a check constraint to spare it
  // would only cost each later insert. Answers whether this call made the partition.
  `
create function {schema}.add_history_partition(day date) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as {body}
declare
  history constant text := '{schema}.history';
  partition constant text := '{schema}.history_' || to_char(day, 'YYYYMMDD');
begin
  if (day between '1970-01-01' and '9999-12-30') is not true then
    raise exception 'add_history_partition: % is out of range', coalesce(day::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if pg_partition_root(to_regclass(partition)) = to_regclass(history) then
    return false; -- without the lock, which a caller's transaction would keep until its end
  end if;
  perform pg_advisory_xact_lock(hashtextextended('millrace add ' || partition, 0));
  if exists (
    select
    from pg_inherits
    where inhparent = to_regclass(history) and inhrelid = to_regclass(partition)
  ) then
    return false;
  end if;
  begin
    execute format('create table %s (like %s including all)', partition, history);
  exception
    -- A serializable transaction's snapshot is older than the lock: it does not show what somebody
    -- else has just made.
    when duplicate_table then
      if pg_partition_root(to_regclass(partition)) = to_regclass(history) then
        return false;
      end if;
      raise;
  end;
  execute format(
    'alter table %s attach partition %s for values from (%L) to (%L)',
    history,
    partition,
    to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00',
    to_char(day + 1, 'YYYY-MM-DD') || ' 00:00:00+00'
  );
  return true;
end
{body}`,

  'revoke all on function {schema}.add_history_partition(date) from public',

  // Waits no longer than 100 ms for a reader of history, because settles wait behind it. Answers
  // whether the day has no partition any more; if not, try again later.
  `
create function {schema}.drop_history_partition(day date) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '100ms'
as {body}
declare
  history constant text := '{schema}.history';
  partition constant text := '{schema}.history_' || to_char(day, 'YYYYMMDD');
begin
  if (day between '1970-01-01' and (statement_timestamp() at time zone 'UTC')::date - 1) is not true then
    raise exception 'drop_history_partition: % is not a day that is over', coalesce(day::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if exists (
    select
    from pg_inherits
    where inhparent = to_regclass(history) and inhrelid = to_regclass(partition)
  ) then
    execute format('drop table if exists %s', partition);
  end if;
  return true;
exception
  when lock_not_available then
    return false;
end
{body}`,

  'revoke all on function {schema}.drop_history_partition(date) from public',
]
