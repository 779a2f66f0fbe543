import type { ContenderFacts } from '../../results.ts'

/** How a contender looks: Millrace in the accent, bare SQL in grey, each library in a colour of its own. */
export type Colour = 'millrace' | 'ceiling' | 'graphile' | 'pgboss' | 'bullmq' | 'redis' | 'other'

interface Scheme {
  readonly card: string
  readonly edge: string
  readonly ink: string
  readonly quiet: string
  readonly grid: string
  /** A bar of whoever is not Millrace. */
  readonly bar: string
  /** A bar of Millrace as few will run it. */
  readonly pale: string
  readonly colours: Readonly<Record<Colour, string>>
}

const LIGHT: Scheme = {
  card: '#ffffff',
  edge: '#d1d9e0',
  ink: '#1f2328',
  quiet: '#59636e',
  grid: '#e4e8ec',
  bar: '#a9b6c6',
  pale: '#f3ad87',
  colours: {
    millrace: '#e4570b',
    ceiling: '#7d8590',
    graphile: '#1769c9',
    pgboss: '#7c3fc4',
    bullmq: '#1a7f37',
    redis: '#c2255c',
    other: '#0f7c8a',
  },
}

const DARK: Scheme = {
  card: '#161b22',
  edge: '#343b44',
  ink: '#e6edf3',
  quiet: '#9aa4af',
  grid: '#2a313a',
  bar: '#54616f',
  pale: '#a65a2a',
  colours: {
    millrace: '#ff8533',
    ceiling: '#8d96a0',
    graphile: '#58a6ff',
    pgboss: '#bc8cff',
    bullmq: '#56d364',
    redis: '#ff7eb0',
    other: '#39c5cf',
  },
}

/** The style sheet of every chart. It brings its own background, so that it reads on a page of either kind. */
export const STYLE = [
  "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}",
  '.title{font-size:16px;font-weight:600}.sub,.tick,.spread{font-size:12px}.label,.value{font-size:13px}',
  '.value,.tick,.spread{font-variant-numeric:tabular-nums}.strong{font-weight:600}.none{font-style:italic}',
  '.grid,.axis,.whisker{stroke-width:1}.whisker{stroke-width:1.5}.leader{stroke-width:1;opacity:.5}',
  '.curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}',
  '.dotted{stroke-dasharray:1 5;stroke-linecap:round}.bold{stroke-width:3.5}.dashed{stroke-dasharray:5 4}',
  '.hollow{stroke-width:2}.range{stroke-width:5;opacity:.35;stroke-linecap:round}',
  rulesOf(LIGHT),
  `@media (prefers-color-scheme:dark){${rulesOf(DARK)}}`,
].join('')

function rulesOf({ card, edge, ink, quiet, grid, bar, pale, colours }: Scheme): string {
  return [
    `.card{fill:${card};stroke:${edge}}`,
    `.title,.label,.value{fill:${ink}}.sub,.tick,.spread,.none{fill:${quiet}}`,
    `.grid{stroke:${grid}}.axis,.whisker{stroke:${quiet}}`,
    `.bar{fill:${bar}}.pale{fill:${pale}}.outline{fill:${card};stroke:${quiet};stroke-dasharray:3 3}.hollow{fill:${card}}`,
    ...Object.entries(colours).map(
      ([name, colour]) => `.f-${name}{fill:${colour}}.s-${name}{stroke:${colour}}`,
    ),
  ].join('')
}

export function colourOf(contender: ContenderFacts | undefined, name: string): Colour {
  if (name.startsWith('ceiling')) return 'ceiling'
  if (contender?.library === 'bullmq' && contender.backend === 'redis') return 'redis'
  return LIBRARIES[contender?.library ?? ''] ?? 'other'
}

const LIBRARIES: Readonly<Record<string, Colour>> = {
  millrace: 'millrace',
  'graphile-worker': 'graphile',
  'pg-boss': 'pgboss',
  bullmq: 'bullmq',
}
