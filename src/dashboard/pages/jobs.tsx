import { quote } from '../../core/show-command.ts'
import { listParameters, readJobs, USUAL_LIMIT, type JobPage } from '../api/jobs.ts'
import { isQueueOfDead } from '../api/known-queue.ts'
import { textAt } from '../route.ts'
import { BulkActions } from './bulk-actions.tsx'
import { Ago, Empty, Nothing, Pager, Status } from './elements.tsx'
import { Attempts, inOneLine, Progress, sayError } from './job-elements.tsx'
import { Chips, FilterForm, linkTo, linkToTag, readAsked, type Asked } from './job-filter.tsx'
import type { Links } from './links.ts'
import { may, type Markup, type Page, type View, type Visit } from './page.ts'
import { Row } from './row.tsx'
import { readShownJob, type ShownJob } from './shown-job.ts'

/** How long it is remembered whether a queue is one of dead letters. */
const QUEUE_MAX_AGE_MS = 10_000

/** The jobs of a queue. */
export const jobsPage: Page = {
  path: '/queues/:queue/jobs',
  role: 'viewer',
  query: listParameters,
  open: openJobs,
}

async function openJobs(visit: Visit): Promise<View> {
  const { query, links } = visit
  const asked = readAsked(textAt(visit.path, 'queue'), query)
  const { isOfDead, page } = await read(visit, asked)
  const { queueName } = asked
  const isFirst = query['cursor'] === undefined
  // The next page begins where the shown one ends, and that of a live one moves.
  const list = <List page={page} asked={asked} visit={visit} isFirst={isFirst} />
  return {
    title: `Jobs of ${queueName}`,
    room: 'jobs',
    trail: [
      ['Overview', links.overview()],
      [queueName, links.queue(queueName)],
    ],
    parts: [
      { content: <Headline visit={visit} asked={asked} isOfDead={isOfDead} /> },
      { content: <FilterForm asked={asked} links={links} /> },
      { content: <Chips asked={asked} links={links} /> },
      isFirst ? { live: 'jobs', content: list } : { content: list },
    ],
  }
}

async function read(
  { parts, query, shared }: Visit,
  { queueName, filter, order, limit }: Asked,
): Promise<{ isOfDead: boolean; page: JobPage }> {
  const wanted = { ...filter, order, limit, cursor: query['cursor'] }
  const isOfDead = await shared.read(
    JSON.stringify(['queue of dead', queueName]),
    () => isQueueOfDead(parts, queueName),
    QUEUE_MAX_AGE_MS,
  )
  const page = await shared.read(JSON.stringify(['jobs', queueName, wanted]), () =>
    readJobs(parts, queueName, wanted),
  )
  return { isOfDead, page }
}

function Headline(props: { visit: Visit; asked: Asked; isOfDead: boolean }): Markup {
  const { visit, asked, isOfDead } = props
  return (
    <header class="headline">
      <h1>{`Jobs of ${asked.queueName}`}</h1>
      <Hint asked={asked} visit={visit} />
      <div class="actions">
        <BulkActions visit={visit} asked={asked} isOfDead={isOfDead} />
      </div>
    </header>
  )
}

/** What the buttons are about; the script says there how many rows are selected. */
function Hint({ asked, visit }: { asked: Asked; visit: Visit }): Markup {
  const order = asked.order === 'newest' ? 'The newest first.' : 'The oldest first.'
  if (!may(visit, 'operator')) return <p>{order}</p>
  const which =
    'The buttons act on the selected rows, or without any on all that the filter lets pass.'
  return <p data-selected={`${order} ${which}`}>{`${order} ${which}`}</p>
}

function List(props: { page: JobPage; asked: Asked; visit: Visit; isFirst: boolean }): Markup {
  const { page, asked, visit, isFirst } = props
  const { links } = visit
  const { jobs, next } = page
  return (
    <>
      {jobs.length === 0 ? (
        <NoJobs page={page} asked={asked} links={links} isFirst={isFirst} />
      ) : (
        <Jobs page={page} asked={asked} visit={visit} />
      )}
      {jobs.length === 0 ? null : <SoFar page={page} asked={asked} />}
      <Pager
        first={isFirst ? undefined : linkTo(links, asked, asked.filter)}
        next={next === null ? null : linkTo(links, asked, asked.filter, next)}
      />
    </>
  )
}

/** Of a page that is not full, though others follow: it ended where enough jobs had been looked at. */
function SoFar({ page, asked }: { page: JobPage; asked: Asked }): Markup {
  const { jobs, lookedTo } = page
  if (lookedTo === null || jobs.length >= (asked.limit ?? USUAL_LIMIT)) return null
  const side = asked.order === 'newest' ? `down to ${lookedTo}` : `up to ${lookedTo}`
  return <p class="notice">{`Searched ids ${side} so far. The next page goes on.`}</p>
}

/** Why nothing is shown. */
function NoJobs(props: { page: JobPage; asked: Asked; links: Links; isFirst: boolean }): Markup {
  const { page, asked, links, isFirst } = props
  if (page.lookedTo !== null) {
    return (
      <Empty
        title={isFirst ? 'No job passes the filter so far' : 'No more jobs pass the filter so far'}
      >
        <SoFar page={page} asked={asked} />
      </Empty>
    )
  }
  if (Object.keys(asked.filter).length > 0) {
    return (
      <Empty title={isFirst ? 'No job passes the filter' : 'No more jobs pass the filter'}>
        <p>All have been looked at.</p>
        <p>
          <a href={linkTo(links, asked, {})}>Show jobs without a filter</a>
        </p>
      </Empty>
    )
  }
  return (
    <Empty title={isFirst ? 'There are no jobs in this queue' : 'There are no more jobs'}>
      <p>Jobs that wait, run or have ended stand here. This enqueues one:</p>
      <pre>{`millrace enqueue ${quote(asked.queueName)} '{"to":"ada@example.org"}'`}</pre>
      <p>
        {'Finished jobs stay as long as their queue keeps them: 24 hours, unless '}
        <code>keepFinished</code> says otherwise.
      </p>
    </Empty>
  )
}

function Jobs({ page, asked, visit }: { page: JobPage; asked: Asked; visit: Visit }): Markup {
  const isSteerable = may(visit, 'operator')
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Jobs">
      <table class="list">
        <thead>
          <tr>
            {isSteerable ? (
              <th class="select">
                <input type="checkbox" aria-label="Select all jobs of this page" data-select-all />
              </th>
            ) : null}
            <th>Job</th>
            <th>Status</th>
            <th>Arguments</th>
            <th>Tags</th>
            <th class="number">Attempts</th>
            <th>Enqueued</th>
            <th>Due</th>
            <th>Ended</th>
            <th>Last error</th>
          </tr>
        </thead>
        <tbody>
          {page.jobs.map((job) => (
            <JobRow job={readShownJob(job)} asked={asked} visit={visit} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function JobRow({ job, asked, visit }: { job: ShownJob; asked: Asked; visit: Visit }): Markup {
  const { links } = visit
  const { id } = job
  const isSteerable = may(visit, 'operator')
  if (id === null) {
    return (
      <tr>
        {isSteerable ? <td class="select"></td> : null}
        <Cells job={job} asked={asked} links={links} />
      </tr>
    )
  }
  return (
    <Row id={id} href={links.job(id)} label={isSteerable ? `Select the job ${id}` : undefined}>
      <Cells job={job} asked={asked} links={links} />
    </Row>
  )
}

function Cells({ job, asked, links }: { job: ShownJob; asked: Asked; links: Links }): Markup {
  const { id, tags, lastError, omitted } = job
  const isTooLarge = omitted.includes('args')
  return (
    <>
      <td>{id === null ? <Nothing because="not shown" /> : <IdLink id={id} links={links} />}</td>
      <td>
        <Standing job={job} />
      </td>
      <td class="text">
        {isTooLarge ? <small>too large for a list</small> : <code>{inOneLine(job.args)}</code>}
      </td>
      <td>
        {tags.map((tag) => (
          <a class="tag" href={linkToTag(links, asked, tag)}>
            {tag}
          </a>
        ))}
        {tags.length === 0 ? <Nothing /> : null}
      </td>
      <td class="number">
        <Attempts job={job} />
      </td>
      {[job.createdAt, job.scheduledAt, job.finishedAt].map((at) => (
        <td>{at === null ? <Nothing /> : <Ago at={at} />}</td>
      ))}
      <td class="text">{lastError === null ? <Nothing /> : sayError(lastError)}</td>
    </>
  )
}

function IdLink({ id, links }: { id: string; links: Links }): Markup {
  return (
    <a class="id" href={links.job(id)}>
      {id}
    </a>
  )
}

/** Where it stands, and while it runs how far it is. */
function Standing({ job }: { job: ShownJob }): Markup {
  const { id, status, progress, cancelRequestedAt } = job
  return (
    <>
      {status === null ? <Nothing because="not shown" /> : <Status status={status} />}
      {cancelRequestedAt === null ? null : <small>to be cancelled</small>}
      {status === 'running' && progress !== null ? (
        <Progress value={progress} label={`Progress of the job ${id ?? ''}`} />
      ) : null}
    </>
  )
}
