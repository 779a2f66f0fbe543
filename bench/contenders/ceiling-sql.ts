/** The columns that a queue needs at least. Half of each page is left free, so that a claim is a HOT update. */
export const TABLES = `
create table jobs (
  id bigint generated always as identity primary key,
  queue_id int not null default 1,
  run_at timestamptz not null default now(),
  attempt int not null default 0,
  claimed_by int,
  args jsonb not null
) with (fillfactor = 50);
create index jobs_due on jobs (queue_id, run_at, id);
create table history (
  id bigint not null,
  queue_id int not null,
  run_at timestamptz not null,
  attempt int not null,
  finished_at timestamptz not null default now(),
  args jsonb not null
)`

export const INSERT = 'insert into jobs (args) values ($1)'

const CHANNEL = 'ceiling'

export const INSERT_AND_NOTIFY = `
with inserted as (insert into jobs (args) values ($1))
select pg_notify('${CHANNEL}', '')`

export const INSERT_MANY = 'insert into jobs (args) select job from jsonb_array_elements($1) as job'

export const NOTIFY = `notify ${CHANNEL}`
export const LISTEN = `listen ${CHANNEL}`

/** Scans from `$2` on: from the front it would crawl through the index entries of all that was worked off before. */
export const CLAIM = `
with chosen as materialized (
  select id, run_at
  from jobs
  where queue_id = 1 and run_at >= $2::timestamptz and run_at <= now() and claimed_by is null
  order by run_at, id
  limit $1
  for no key update skip locked
),
claimed as (
  update jobs
  set claimed_by = pg_backend_pid(), attempt = attempt + 1
  where id = any(array(select id from chosen))
  returning id, args
)
select id, args, (select max(run_at)::text from chosen) as "claimedUpTo" from claimed`

export const FRONT = '-infinity'

/** Knowing nothing of the new table, the planner would read and sort all that waits for each claim. */
export const IN_INDEX_ORDER = 'set enable_sort = off'

export const DELETE = 'delete from jobs where id = any($1)'

export const KEEP = `
with settled as (delete from jobs where id = any($1) returning id, queue_id, run_at, attempt, args)
insert into history (id, queue_id, run_at, attempt, args)
select id, queue_id, run_at, attempt, args from settled`

export const FILL_HISTORY = `
insert into history (id, queue_id, run_at, attempt, args)
select -number, 1, now(), 1, '{"n": 0, "text": "Finished long ago"}'
from generate_series(1, $1::int) as number`

export const COUNT_UNFINISHED = 'select count(*)::int as count from jobs'
export const COUNT_FINISHED = 'select count(*)::int as count from history'
