import { isJobId } from '../../core/job-id.ts'
import { locateJob } from '../../store/locate.ts'
import type { SurveyedQueue } from '../../store/overview.ts'
import { findQueue } from '../../store/queues.ts'
import { readSurvey } from '../api/overview.ts'
import { look, type Parts } from '../route.ts'
import { Empty } from './elements.tsx'
import type { Links } from './links.ts'
import type { Markup, Page } from './page.ts'
import { QueueTable } from './queue-table.tsx'

/** More queues than this are looked for on the overview. */
const MOST = 20

/** A job by its id, a queue by its name, or by a part of it. */
export const searchPage: Page = {
  path: '/search',
  role: 'viewer',
  query: {
    q: {
      type: 'string',
      maxLength: 300,
      pattern: '^[^\\0]*$',
      description: 'The id of a job, or a queue’s name or a part of it.',
    },
  },
  open: async ({ parts, query, links }) => {
    const text = ((query['q'] as string | undefined) ?? '').trim()
    const target = text === '' ? undefined : await find(parts, text, links)
    if (target !== undefined) return { redirect: target }
    const { queues, next } =
      text === '' ? NO_QUEUES : await readSurvey(parts, { name: text, limit: MOST })
    return {
      title: 'Search',
      room: 'overview',
      parts: [
        {
          content: (
            <header class="headline">
              <h1>Search</h1>
              <p>{remarkOn(text)}</p>
            </header>
          ),
        },
        {
          content:
            queues.length === 0 ? (
              <NothingFound links={links} />
            ) : (
              <Queues queues={queues} links={links} />
            ),
        },
        {
          content:
            next === null ? null : (
              <p>
                <a href={links.overview({ name: text })}>All queues with these letters</a>
              </p>
            ),
        },
      ],
    }
  },
}

const NO_QUEUES = { queues: [], next: null }

/** Where the one thing is that is called so. */
async function find(parts: Parts, text: string, links: Links): Promise<string | undefined> {
  const { store } = parts
  return look(parts, async (tx) => {
    if (isJobId(text) && (await locateJob(store, text, tx)) !== undefined) return links.job(text)
    return (await findQueue(store, text, tx)) === undefined ? undefined : links.queue(text)
  })
}

function remarkOn(text: string): string {
  if (text === '') return 'Write the id of a job, or a queue’s name or a part of it.'
  if (!/^\d+$/.test(text)) return `No queue is called “${text}”.`
  return `There is no job ${text}, and no queue of that name. Ended jobs are known as long as their queue keeps them.`
}

function NothingFound({ links }: { links: Links }): Markup {
  return (
    <Empty title="Nothing to show">
      <p>
        Ids of jobs are what <code>enqueue</code> returned, and stand in every log line of a job.
        Jobs are found by their status, tags, metadata and errors on the page of their queue.
      </p>
      <p>
        <a href={links.overview()}>All queues</a>
      </p>
    </Empty>
  )
}

function Queues({ queues, links }: { queues: readonly SurveyedQueue[]; links: Links }): Markup {
  return (
    <section class="panel">
      <h2>Queues with these letters</h2>
      <QueueTable
        label="Queues with these letters"
        queues={queues}
        hrefOf={(name) => links.queue(name)}
      />
    </section>
  )
}
