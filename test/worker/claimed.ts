import type { ClaimAnswer, ClaimedJob } from '../../src/store/claim-answer.ts'

/** A job as a claim hands it over. */
export function claimedJob(job: Partial<ClaimedJob> = {}): ClaimedJob {
  return {
    id: '1',
    priority: 5,
    runAt: '1000',
    createdAt: '1000',
    attempt: 0,
    maxRetries: 3,
    retryPolicy: 'exponential',
    timeoutMs: null,
    errorCount: 0,
    isSuspect: false,
    args: '{}',
    metadata: '{}',
    ...job,
  }
}

/** What a claim answers; of its jobs only what is given matters. */
export function claimAnswer(
  jobs: readonly Partial<ClaimedJob>[],
  rest: Partial<Omit<ClaimAnswer, 'jobs'>> = {},
): ClaimAnswer {
  return {
    jobs: jobs.map(claimedJob),
    now: '1000',
    rewind: '0',
    hasSuspects: false,
    isOwner: false,
    isPaused: false,
    ...rest,
  }
}
