import { readQueues } from '../api/queues.ts'
import { pageParameters } from '../api/shapes.ts'
import { Count, Duration, Empty, Pager } from './elements.tsx'
import type { Page } from './page.ts'

/** Every queue, and what is wrong. */
export const overviewPage: Page = {
  path: '/',
  role: 'viewer',
  query: pageParameters(100),
  open: async ({ parts, query, links, shared }) => {
    const { queues, next } = await shared.read(`queues ${JSON.stringify(query)}`, () =>
      readQueues(parts, query),
    )
    return {
      title: 'Overview',
      room: 'overview',
      parts: [
        { content: <h1>Overview</h1> },
        {
          live: 'queues',
          content:
            queues.length === 0 ? (
              <Empty title="There is no queue yet" />
            ) : (
              <table class="list">
                {queues.map((queue) => (
                  <tr data-key={queue.name}>
                    <td>
                      <a href={links.queue(queue.name)}>{queue.name}</a>
                    </td>
                    <td class="number">
                      <Count count={queue.counts.available} />
                    </td>
                    <td class="number">
                      <Duration ms={queue.longestWaitMs} />
                    </td>
                  </tr>
                ))}
              </table>
            ),
        },
        { content: <Pager next={next === null ? null : `${links.overview()}?cursor=${next}`} /> },
      ],
    }
  },
}
