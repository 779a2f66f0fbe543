import { DEAD_LETTER_QUEUES, LOGGED_JOBS, type Size } from './fill.ts'

/** Makes the next request to an address. */
export type Ask = () => Request

/** What is asked of the API: each address, and each filter that costs something of its own. */
export function addresses({ jobs, queues }: Size): Record<string, Ask> {
  const some = (count: number): number => Math.ceil(Math.random() * count)
  const named = (number: number): string => `queue%20${String(number).padStart(3, '0')}`
  const queue = (): string => named(some(queues))
  const deadLetters = (): string => named(queues - DEAD_LETTER_QUEUES + some(DEAD_LETTER_QUEUES))
  const ofQueue = (rest: string) => (): string => `/api/queues/${queue()}${rest}`
  const get =
    (path: () => string): Ask =>
    () =>
      new Request(`http://localhost${path()}`)
  const post =
    (path: () => string, body: object): Ask =>
    () =>
      new Request(`http://localhost${path()}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
  const page =
    (path: () => string): Ask =>
    () =>
      new Request(`http://localhost${path()}`, { headers: { accept: 'text/html' } })
  const pageOf = (rest: string): Ask => page(() => `/queues/${queue()}${rest}`)
  const metadata = encodeURIComponent('{"tenant":7}')
  const cancel = (filter: object): Ask => post(ofQueue('/cancel'), { ...filter, dryRun: true })
  return {
    'the queues, 50': get(() => '/api/queues'),
    'the queues, 100': get(() => '/api/queues?limit=100'),
    'a queue': get(ofQueue('')),
    'statistics of an hour': get(ofQueue('/stats')),
    'statistics of a day by the minute': get(ofQueue('/stats?since=1d')),
    'statistics of a week by the hour': get(ofQueue('/stats?since=7d&by=hour')),
    'the backlog of a queue': get(ofQueue('/backlog')),
    'the metrics of all queues': get(() => '/metrics'),
    'jobs of a queue': get(ofQueue('/jobs')),
    'jobs of a queue, the oldest 100': get(ofQueue('/jobs?order=oldest&limit=100')),
    'failed jobs': get(ofQueue('/jobs?status=failed&limit=100')),
    'jobs with a tag': get(ofQueue('/jobs?tags=customer:7')),
    'jobs with metadata': get(ofQueue(`/jobs?metadata=${metadata}`)),
    'jobs with an error text': get(ofQueue('/jobs?errorText=bank')),
    'jobs with an error text that none has': get(ofQueue('/jobs?errorText=nothing')),
    'jobs with metadata that none have': get(
      ofQueue(`/jobs?metadata=${encodeURIComponent('{"no":1}')}`),
    ),
    'a job': get(() => `/api/jobs/${some(jobs)}`),
    'the log of a job': get(() => `/api/jobs/${some(LOGGED_JOBS)}/logs?limit=1000`),
    'the workers': get(() => '/api/workers'),
    'the audit': get(() => '/api/audit'),
    'a dry run of all': cancel({ all: true }),
    'a dry run by tag and metadata': cancel({ tags: ['customer:7'], metadata: { tenant: 7 } }),
    'a dry run by error text': cancel({ errorText: 'bank' }),
    'pause a queue': post(ofQueue('/pause'), { reason: 'measured' }),
    'resume a queue': post(ofQueue('/resume'), {}),
    'enqueue one': post(ofQueue('/jobs'), { jobs: [{ args: { to: 'ada' } }] }),
    'enqueue 100': post(ofQueue('/jobs'), {
      jobs: Array.from({ length: 100 }, (_, n) => ({ args: { to: n }, tags: ['measured'] })),
    }),
    'page: overview': page(() => '/'),
    'page: a queue, an hour': pageOf(''),
    'page: a queue, a day': pageOf('?span=24h'),
    'page: a queue, a week': pageOf('?span=7d'),
    'page: jobs': pageOf('/jobs'),
    'page: jobs with an error text that none has': pageOf('/jobs?errorText=nothing'),
    'page: a job': page(() => `/jobs/${some(jobs)}`),
    'page: dead letters': page(() => '/dead-letters'),
    'page: dead letters of a queue': page(() => `/dead-letters?queue=${deadLetters()}`),
    'page: workers': page(() => '/workers'),
    'page: search': page(() => '/search?q=queue'),
    'page: audit': page(() => '/audit'),
    'cancel one': () => post(() => `/api/jobs/${some(jobs / 2)}/cancel`, {})(),
  }
}
