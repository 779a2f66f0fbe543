import type { Finding } from '../../doctor/finding.ts'
import type { Look } from '../trouble.ts'
import { Ago } from './elements.tsx'
import { showWhole } from './figures.ts'
import type { Links } from './links.ts'
import type { Markup } from './page.ts'

/** More than this are not told one by one. */
const MOST = 20

/** What is wrong, in words, and what to do. */
export function Warnings({ look, links }: { look: Look | undefined; links: Links }): Markup {
  return (
    <section class="panel">
      <h2>Warnings</h2>
      <Said look={look} links={links} />
    </section>
  )
}

function Said({ look, links }: { look: Look | undefined; links: Links }): Markup {
  if (look === undefined) return <p class="notice">Looking for trouble…</p>
  const { at, trouble } = look
  if (trouble === undefined) {
    return (
      <p class="notice">
        The database did not answer when it was looked at <Ago at={at} />. It is looked at again
        every 30 s.
      </p>
    )
  }
  if (trouble.length === 0) {
    return (
      <p class="notice">
        Nothing is wrong, by a look <Ago at={at} />.
      </p>
    )
  }
  const more = trouble.length - MOST
  return (
    <>
      <ul class="warnings">
        {trouble.slice(0, MOST).map((finding) => (
          <Warning finding={finding} links={links} />
        ))}
      </ul>
      <p class="notice">
        By a look <Ago at={at} />.
        {more > 0 ? (
          <>
            {` ${showWhole(more)} more by `}
            <code>millrace doctor</code>.
          </>
        ) : null}
      </p>
    </>
  )
}

function Warning({ finding, links }: { finding: Finding; links: Links }): Markup {
  const { level, message, remedy = '', details } = finding
  const [sentence = '', ...commands] = remedy.split('\n')
  const queue = details?.['queue']
  return (
    <li class={level}>
      <strong>
        <span class="heard">{level === 'error' ? 'Error: ' : 'Warning: '}</span>
        {message}
      </strong>
      <p>
        {sentence}
        {typeof queue === 'string' ? (
          <>
            {' '}
            <a href={links.queue(queue)}>To the queue</a>
          </>
        ) : null}
      </p>
      {commands.length === 0 ? null : (
        <pre>
          <code>{commands.join('\n')}</code>
        </pre>
      )}
    </li>
  )
}
