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
      <h2>
        Warnings{' '}
        {look === undefined ? null : (
          <small>
            looked <Ago at={look.at} />
          </small>
        )}
      </h2>
      <Said look={look} links={links} />
    </section>
  )
}

function Said({ look, links }: { look: Look | undefined; links: Links }): Markup {
  if (look === undefined) return <p class="muted">Looking for trouble…</p>
  const { trouble } = look
  if (trouble === undefined) {
    return (
      <p class="notice">
        The database did not answer when it was looked at; it is looked at again every 30 s.
      </p>
    )
  }
  if (trouble.length === 0) return <p class="muted">Nothing is wrong.</p>
  const more = trouble.length - MOST
  return (
    <>
      <ul class="warnings">
        {trouble.slice(0, MOST).map((finding) => (
          <Warning finding={finding} links={links} />
        ))}
      </ul>
      {more > 0 ? (
        <p class="notice">
          {showWhole(more)} more by <code>millrace doctor</code>.
        </p>
      ) : null}
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
      <p>{sentence}</p>
      {commands.length === 0 ? null : (
        <pre tabIndex={0}>
          <code>{commands.join('\n')}</code>
        </pre>
      )}
      {typeof queue === 'string' ? (
        <p>
          <a href={links.queue(queue)}>To the queue</a>
        </p>
      ) : null}
    </li>
  )
}
