import { Fragment } from 'hono/jsx'
import type { Child } from 'hono/jsx'
import type { Actor } from '../auth.ts'
import type { Links } from './links.ts'
import { may, type Markup, type Part, type Room, type View, type Visit } from './page.ts'

/** A page as it is sent. `version` is that of the assets. */
export function renderPage(view: View, visit: Visit, version: string): string {
  return document(
    <Frame title={view.title} links={visit.links} version={version}>
      <Header visit={visit} room={view.room} version={version} />
      <main id="main">
        {view.trail === undefined ? null : <Trail trail={view.trail} title={view.title} />}
        {view.parts.map((part) =>
          part.live === undefined ? (
            <Fragment>{part.content}</Fragment>
          ) : (
            <div class="part" data-live={part.live}>
              {part.content}
            </div>
          ),
        )}
      </main>
      <Helps actor={visit.actor} />
    </Frame>,
  )
}

/** A live part as it is sent again. */
export function renderPart({ content }: Part): string {
  return textOf(<Fragment>{content}</Fragment>)
}

/** What is shown in place of a page that cannot be. */
export function renderFailure(
  title: string,
  lines: readonly string[],
  links: Links,
  version: string,
): string {
  return document(
    <Frame title={title} links={links} version={version}>
      <main id="main" class="failure">
        <h1>{title}</h1>
        {lines.map((line) => (
          <p>{line}</p>
        ))}
        <p>
          <a href={links.overview()}>To the overview</a>
        </p>
      </main>
    </Frame>,
  )
}

function document(html: Markup): string {
  return `<!doctype html>${textOf(html)}`
}

/** No component of ours is asynchronous. */
function textOf(html: Markup): string {
  const tree: unknown = html // to its types it is a text already
  return String(tree)
}

function Frame(props: { title: string; links: Links; version: string; children: Child }): Markup {
  const { title, links, version, children } = props
  const asset = (name: string): string => `${links.base}/assets/${version}/${name}`
  return (
    <html lang="en" data-base={links.base}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>{`${title} · Millrace`}</title>
        <link rel="icon" href={asset('icon.svg')} type="image/svg+xml" />
        <link rel="stylesheet" href={asset('uPlot.min.css')} />
        <link rel="stylesheet" href={asset('style.css')} />
        <script src={asset('theme.js')}></script>
        <script src={asset('uPlot.iife.min.js')} defer></script>
        <script src={asset('app.js')} type="module"></script>
      </head>
      <body>{children}</body>
    </html>
  )
}

const ROOMS: readonly { room: Room; name: string; href: (links: Links) => string }[] = [
  { room: 'overview', name: 'Overview', href: (links) => links.overview() },
  { room: 'jobs', name: 'Jobs', href: (links) => links.anyJobs() },
  { room: 'dead-letters', name: 'Dead letters', href: (links) => links.deadLetters() },
  { room: 'workers', name: 'Workers', href: (links) => links.workers() },
  { room: 'audit', name: 'Audit', href: (links) => links.audit() },
]

function Header({ visit, room, version }: { visit: Visit; room: Room; version: string }): Markup {
  const { links, actor } = visit
  const rooms = ROOMS.filter((entry) => entry.room !== 'audit' || may(visit, 'admin'))
  return (
    <header class="top">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <a class="brand" href={links.overview()}>
        <img src={`${links.base}/assets/${version}/icon.svg`} alt="" width="20" height="20" />
        Millrace
      </a>
      <nav aria-label="Pages">
        {rooms.map((entry) => (
          <a href={entry.href(links)} aria-current={entry.room === room ? 'page' : undefined}>
            {entry.name}
          </a>
        ))}
      </nav>
      <Search links={links} />
      <span class="liveness" id="liveness" role="status" data-state="connecting">
        <i aria-hidden="true"></i>
        <b>Connecting</b>
      </span>
      <button type="button" class="icon" id="theme" aria-label="Light or dark">
        ◐
      </button>
      <span class="actor" title={`You may do what the role ${actor.role} may`}>
        {actor.name} <small>{actor.role}</small>
      </span>
    </header>
  )
}

function Search({ links }: { links: Links }): Markup {
  return (
    <form class="search" role="search" action={links.search()}>
      <input
        id="search"
        type="search"
        name="q"
        placeholder="Queue, or id of a job"
        aria-label="Find a queue by its name, or a job by its id"
        autocomplete="off"
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  )
}

function Trail({ trail, title }: { trail: NonNullable<View['trail']>; title: string }): Markup {
  return (
    <nav class="trail" aria-label="Where this is">
      {trail.map(([name, href]) => (
        <Fragment>
          <a href={href}>{name}</a>
          <span aria-hidden="true">/</span>
        </Fragment>
      ))}
      <span aria-current="page">{title}</span>
    </nav>
  )
}

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'search'],
  ['j, k', 'next and previous row'],
  ['Enter', 'open the row'],
  ['x', 'select the row'],
  ['r', 'retry'],
  ['c', 'cancel'],
  ['d', 'delete'],
  ['p', 'pause or resume'],
  ['g o', 'to the overview'],
  ['g j', 'to the jobs'],
  ['g d', 'to the dead letters'],
  ['g w', 'to the workers'],
  ['?', 'these keys'],
]

/** The dialog that explains the keys; the script opens it. */
function Helps({ actor }: { actor: Actor }): Markup {
  const keys = KEYS.filter(([, what]) => actor.role === 'admin' || what !== 'delete')
  return (
    <dialog id="keys" aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl class="keys">
        {keys.map(([key, what]) => (
          <div>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button class="button">Close</button>
      </form>
    </dialog>
  )
}
