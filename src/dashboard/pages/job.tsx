import { Fragment } from 'hono/jsx'
import type { Child } from 'hono/jsx'
import { parseJobId } from '../../core/job-id.ts'
import { readJobView, type JobView } from '../api/job-view.ts'
import { notFound, Refusal } from '../refusal.ts'
import { Ago, Nothing, Status } from './elements.tsx'
import { showDuration } from './figures.ts'
import { JobActions } from './job-actions.tsx'
import { Attempts, isWholeProgress, LargeJson, Progress } from './job-elements.tsx'
import { JobLog } from './job-log.tsx'
import type { Links } from './links.ts'
import type { Markup, Page, View, Visit } from './page.ts'
import { readShownJob, type ShownJob } from './shown-job.ts'
import { Timeline } from './timeline.tsx'

/** All that is known of a job. */
export const jobPage: Page = {
  path: '/jobs/:id',
  role: 'viewer',
  query: {
    logsAfter: {
      type: 'integer',
      minimum: 0,
      description: 'Shows the lines of its log behind this number, in place of the latest.',
    },
  },
  open: openJob,
}

async function openJob(visit: Visit): Promise<View> {
  const { parts, query, links, shared } = visit
  const id = parseJobId(visit.path['id'])
  const after = (query['logsAfter'] as number | undefined) ?? null
  const view = await shared
    .read(JSON.stringify(['job', id, after]), () => readJobView(parts, id, after))
    .catch(explain)
  const job = readShownJob(view.job)
  const { queue } = job
  const log = <JobLog id={id} view={view} after={after} links={links} />
  return {
    title: `Job ${id}`,
    room: 'jobs',
    trail: [
      ['Overview', links.overview()],
      ...(queue === null
        ? []
        : ([
            [queue, links.queue(queue)],
            ['Jobs', links.jobs(queue)],
          ] as const)),
    ],
    parts: [
      { live: 'headline', content: <Headline id={id} job={job} view={view} visit={visit} /> },
      { live: 'state', content: <State job={job} links={links} /> },
      { live: 'data', content: <Data id={id} job={job} view={view} links={links} /> },
      after === null ? { live: 'log', content: log } : { content: log },
    ],
  }
}

/** For whoever looks for a job that is not there, why that may be. */
function explain(error: unknown): never {
  if (!(error instanceof Refusal) || error.code !== 'JOB_NOT_FOUND') throw error
  throw notFound(
    error.code,
    `${error.message} It never was, was deleted, or ended so long ago that it is not kept any more: finished jobs ` +
      'stay for 24 hours, and failed or cancelled ones for 30 days, where their queue says nothing else.',
    'keepFinished and keepFailed of a queue keep its jobs longer',
  )
}

interface HeadlineProps {
  readonly id: string
  readonly job: ShownJob
  readonly view: JobView
  readonly visit: Visit
}

function Headline({ id, job, view, visit }: HeadlineProps): Markup {
  const { status, queue, cancelRequestedAt } = job
  const { isOfFifo, omitted } = view
  return (
    <header class="headline">
      <h1>{`Job ${id}`}</h1>
      {status === null ? null : <Status status={status} />}
      {queue === null ? null : (
        <p>
          <a href={visit.links.queue(queue)}>{queue}</a>
        </p>
      )}
      {cancelRequestedAt === null ? null : (
        <p>Somebody asked to cancel it: it will be cancelled, unless it finishes first.</p>
      )}
      <JobActions visit={visit} id={id} job={job} isOfFifo={isOfFifo} omitted={omitted} />
    </header>
  )
}

function State({ job, links }: { job: ShownJob; links: Links }): Markup {
  return (
    <div class="columns">
      <section class="panel">
        <h2>What became of it</h2>
        <Timeline job={job} />
      </section>
      <section class="panel">
        <h2>What is known</h2>
        <dl class="facts">
          {factsOf(job, links).map(([name, value]) => (
            <Fragment>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </Fragment>
          ))}
        </dl>
      </section>
    </div>
  )
}

function factsOf(job: ShownJob, links: Links): (readonly [name: string, value: Child])[] {
  const { queue, originQueue, tags, priority, timeoutMs, progress, progressAt } = job
  const instants = [
    ['Enqueued', job.createdAt],
    ['Due', job.status === 'available' ? job.scheduledAt : null],
    ['Started', job.startedAt],
    ['Ended', job.finishedAt],
  ] as const
  const facts: (readonly [name: string, value: Child | null])[] = [
    ['Queue', queue === null ? null : <a href={links.queue(queue)}>{queue}</a>],
    [
      'Came from',
      originQueue === null ? null : <a href={links.queue(originQueue)}>{originQueue}</a>,
    ],
    ['Attempts', <Attempts job={job} />],
    ['Progress', progress === null ? null : <Progress value={progress} label="Progress" />],
    ['Reported', progressAt === null ? null : <Ago at={progressAt} />],
    ...instants.map(([name, at]) => [name, at === null ? null : <Ago at={at} />] as const),
    ['Tags', tags.length === 0 ? null : <Tags job={job} links={links} />],
    ['Priority', priority === null ? null : `${priority}, of 0 (first) to 9 (last)`],
    ['Timeout', timeoutMs === null ? <Nothing /> : showDuration(timeoutMs)],
  ]
  return facts.filter(([, value]) => value !== null)
}

/** Each leads to the jobs of the queue that have it too. */
function Tags({ job: { queue, tags }, links }: { job: ShownJob; links: Links }): Markup {
  return (
    <>
      {tags.map((tag) =>
        queue === null ? (
          <span class="tag">{tag}</span>
        ) : (
          <a class="tag" href={links.jobs(queue, { tags: [tag] })}>
            {tag}
          </a>
        ),
      )}
    </>
  )
}

interface DataProps {
  readonly id: string
  readonly job: ShownJob
  readonly view: JobView
  readonly links: Links
}

/** What it carries. */
function Data({ id, job, view, links }: DataProps): Markup {
  const { args, metadata, result, progress, status } = job
  const href = links.jobAsJson(id)
  const hasMetadata = view.omitted.includes('metadata') || !isEmpty(metadata)
  const values: readonly (readonly [title: string, name: string, value: unknown])[] = [
    ['Arguments', 'args', args],
    ...(status === 'finished' ? [['Result', 'result', result] as const] : []),
    ...(isWholeProgress(progress) ? [] : [['Progress', 'progress', progress] as const]),
    ...(hasMetadata ? [['Metadata', 'metadata', metadata] as const] : []),
  ]
  return (
    <div class="columns">
      {values.map(([title, name, value]) => (
        <section class="panel" data-key={name}>
          <h2>{title}</h2>
          {view.omitted.includes(name) ? (
            <p class="notice">
              <a href={href}>Too large for this page: all of the job as JSON</a>
            </p>
          ) : (
            <LargeJson value={value} label={title} href={href} />
          )}
        </section>
      ))}
    </div>
  )
}

/** Most jobs have none. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
