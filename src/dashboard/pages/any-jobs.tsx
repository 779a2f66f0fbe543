import { listParameters } from '../api/jobs.ts'
import { readSurvey } from '../api/overview.ts'
import type { SurveyedQueue } from '../../store/overview.ts'
import { Empty } from './elements.tsx'
import { linkTo, readAsked, type Asked } from './job-filter.tsx'
import type { Links } from './links.ts'
import type { Markup, Page } from './page.ts'
import { QueueTable } from './queue-table.tsx'

/** More queues than this are looked for by name. */
const MOST = 50

/** Jobs are looked for in one queue: who names it is led there, and who does not chooses. */
export const anyJobsPage: Page = {
  path: '/jobs',
  role: 'viewer',
  query: { ...listParameters, queue: { type: 'string', maxLength: 1_000, pattern: '^[^\\0]*$' } },
  open: async ({ parts, query, links, shared }) => {
    const { queue = '', ...others } = query
    const name = (queue as string).trim()
    const asked = readAsked(name, others)
    if (name !== '') return { redirect: linkTo(links, asked, asked.filter) }
    const { queues, next } = await shared.read('queues to choose', () =>
      readSurvey(parts, { limit: MOST }),
    )
    return {
      title: 'Jobs',
      room: 'jobs',
      parts: [
        {
          content: (
            <header class="headline">
              <h1>Jobs</h1>
              <p>Of which queue? A job whose id you know is found by the field above.</p>
            </header>
          ),
        },
        { live: 'queues', content: <Queues queues={queues} asked={asked} links={links} /> },
        {
          content:
            next === null ? null : (
              <p>
                <a href={links.overview()}>All queues are on the overview</a>
              </p>
            ),
        },
      ],
    }
  },
}

function Queues(props: { queues: readonly SurveyedQueue[]; asked: Asked; links: Links }): Markup {
  const { queues, asked, links } = props
  if (queues.length === 0) {
    return (
      <Empty title="There is no queue yet">
        <p>A queue is there as soon as something is enqueued in it.</p>
      </Empty>
    )
  }
  const hrefOf = (name: string): string =>
    linkTo(links, { ...asked, queueName: name }, asked.filter)
  return <QueueTable label="Queues" queues={queues} hrefOf={hrefOf} />
}
