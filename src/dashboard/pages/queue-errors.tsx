import type { QueueAtAGlance } from '../../store/glance.ts'
import type { Cause, Causes } from '../causes.ts'
import { CauseTable, Looked } from './causes.tsx'
import { Empty } from './elements.tsx'
import { showWhole } from './figures.ts'
import type { Links } from './links.ts'
import type { Markup } from './page.ts'

/** What the jobs of a queue fail of. */
export function QueueErrors(props: {
  queue: QueueAtAGlance
  causes: Causes
  links: Links
}): Markup {
  const { queue, causes, links } = props
  return (
    <section class="panel">
      <h2>Errors</h2>
      {causes.looked === 0 ? (
        <Empty title="No failures">
          <p>
            When a worker of this queue throws, what it threw stands here, grouped by what it has in
            common.
          </p>
        </Empty>
      ) : (
        <>
          <Looked causes={causes} one="failure" which={whichOnes(queue)} />
          <CauseTable
            causes={causes}
            label="Errors by cause"
            links={links}
            column={{ name: 'Jobs', cell: (cause) => <JobsOf cause={cause} links={links} /> }}
          />
        </>
      )}
    </section>
  )
}

function whichOnes({ dlq }: QueueAtAGlance): string {
  const there = dlq === null ? '' : `, here or in ${dlq}`
  return ` of jobs that failed for good${there}, or wait for another run`
}

/** The way to the jobs with this error, wherever they are now. */
function JobsOf({ cause, links }: { cause: Cause; links: Links }): Markup {
  const { text, queues } = cause
  return (
    <>
      {queues.map(([name, count]) => (
        <div>
          {text === undefined ? name : <a href={links.jobs(name, { errorText: text })}>{name}</a>}{' '}
          <small>{showWhole(count)}</small>
        </div>
      ))}
    </>
  )
}
