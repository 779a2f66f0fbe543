import { isAmong } from './among.ts'

/**
 * The fence: only the holder of a job may settle it, and the holder is a worker's number together
 * with the number of the claim by which it got the job. With the attempt in place of the claim
 * number a job that was given back and claimed again could be settled by its earlier run.
 *
 * `$1` is the queue, `$2` the worker, `$3` the ids in ascending order, `$4` their claim numbers.
 * `width_bucket` finds an id's place in `$3` by bisection: a join with the parameters would let the
 * planner, which may believe the table empty, compare every row with every row.
 */
export const FENCE = `queue_id = $1::int4
    and ${isAmong('id', '$3')}
    and claimed_by = $2::int4
    and claim_no = ($4::int8[])[width_bucket(id, $3::int8[])]`

export const FENCE_PARAMETERS = ['int4', 'int4', 'int8[]', 'int8[]'] as const

/** The fence of everything but finishing: a job that is to be cancelled does not come back (see cancel.ts). */
export const UNLESS_CANCELLED = `${FENCE}
    and cancel_requested_at is null`
