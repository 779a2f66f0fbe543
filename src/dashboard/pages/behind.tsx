import type { QueuesBehind } from '../../store/dead-letter-queues.ts'
import { showWhole } from './figures.ts'
import type { Links } from './links.ts'
import type { Markup } from './page.ts'

/** The queues whose dead-letter queue one is, as far as they are named. */
export function Behind({ behind, links }: { behind: QueuesBehind; links: Links }): Markup {
  const { names, count } = behind
  return (
    <>
      {names.map((name, index) => (
        <>
          {index === 0 ? null : ', '}
          <a href={links.queue(name)}>{name}</a>
        </>
      ))}
      {count > names.length ? ` and ${showWhole(count - names.length)} more` : null}
    </>
  )
}
