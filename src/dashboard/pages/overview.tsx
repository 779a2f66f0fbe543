import { showCount } from '../../core/words.ts'
import type { Doings, Holdings, LastHour } from '../../metrics/overview.ts'
import type { Counted } from '../../store/glance.ts'
import type { SurveyedQueue } from '../../store/overview.ts'
import {
  overviewParameters,
  readAllDoings,
  readAllHoldings,
  readHours,
  readSurvey,
} from '../api/overview.ts'
import { lookForTrouble } from '../trouble.ts'
import { Sparkline } from './chart.tsx'
import { Ago, Count, Empty, Nothing, Pager, Tile } from './elements.tsx'
import { showDuration, showNumber, showShare, showWhole } from './figures.ts'
import type { Links } from './links.ts'
import { livingPart } from './living-workers.tsx'
import { limitOf, type Markup, type Page, type Visit } from './page.ts'
import { Row } from './row.tsx'
import { Table, type Column } from './table.tsx'
import { Warnings } from './warnings.tsx'

/** What was counted comes into the database every ten seconds; to read it more often than this shows nothing new. */
const FIGURES_FOR_MS = 5_000
/** More of those that receive are on a page of their own. */
const MOST_WORKERS = 10
/** From so many queues on they are looked for by their names. */
const MANY = 10

const ENQUEUE = [
  "const emails = new JobQueue(db, { queueName: 'emails' })",
  "await emails.enqueue({ to: 'ada@example.org' })",
].join('\n')

/** Every queue, and what is wrong. */
export const overviewPage: Page = {
  path: '/',
  role: 'viewer',
  query: overviewParameters,
  open: async (visit) => {
    const { links, query } = visit
    const { holdings, doings, queues, next, hours } = await readAll(visit)
    const name = (query['name'] as string | undefined) ?? ''
    const isFirst = query['cursor'] === undefined
    const hasMany = !isFirst || name !== '' || next !== null || queues.length > MANY
    return {
      title: 'Overview',
      room: 'overview',
      parts: [
        { content: <h1>Overview</h1> },
        { live: 'totals', content: <Tiles holdings={holdings} doings={doings} /> },
        { live: 'warnings', content: <Warnings look={lookForTrouble(visit)} links={links} /> },
        { content: hasMany ? <Filter name={name} links={links} /> : null },
        {
          live: 'queues',
          content:
            queues.length === 0 ? (
              <NoQueues name={name} links={links} />
            ) : (
              <Queues queues={queues} hours={hours} links={links} />
            ),
        },
        {
          content: (
            <Pager
              first={isFirst ? undefined : links.overview({ name })}
              next={next === null ? null : links.overview({ ...chosen(query), cursor: next })}
            />
          ),
        },
        await livingPart(visit, { title: 'Workers', most: MOST_WORKERS }),
      ],
    }
  },
}

async function readAll(visit: Visit) {
  const { parts, shared } = visit
  const [doings, shown] = await Promise.all([
    shared.read('doings', () => readAllDoings(parts), FIGURES_FOR_MS),
    readPage(visit),
  ])
  const holdings = shown.holdings ?? (await shared.read('holdings', () => readAllHoldings(parts)))
  return { ...shown, holdings, doings }
}

async function readPage({ parts, query, shared }: Visit) {
  const survey = await shared.read(`survey ${JSON.stringify(query)}`, () =>
    readSurvey(parts, query),
  )
  const ids = survey.queues.map(({ id }) => id).join()
  const readThese = () => readHours(parts, survey.queues)
  const hours = await shared.read(`hours ${ids}`, readThese, FIGURES_FOR_MS)
  return { ...survey, hours }
}

/** What the next page has in common with this one. */
function chosen({ name, ...query }: Visit['query']): { name?: string; limit?: number } {
  return { ...(typeof name === 'string' ? { name } : {}), ...limitOf(query) }
}

function Tiles({ holdings, doings }: { holdings: Holdings; doings: Doings }): Markup {
  const { queues, available, running } = holdings
  const { workers, perSecond, failed, failureRate } = doings
  const isUnattended = workers === 0 && available.value > 0
  return (
    <dl class="tiles">
      <Tile name="Queues">
        <Count count={queues} />
      </Tile>
      <Tile name="Available">
        <Count count={available} />
      </Tile>
      <Tile name="Running">
        <Count count={running} />
      </Tile>
      <Tile name="Jobs per second" hint="over 5 min">
        {showNumber(perSecond)}
      </Tile>
      <Tile
        name="Failed for good"
        tone={failed > 0 ? 'bad' : undefined}
        hint={
          failureRate === null
            ? 'in the last hour'
            : `${showShare(failureRate)} of runs failed, last hour`
        }
      >
        {showWhole(failed)}
      </Tile>
      <Tile
        name="Workers"
        tone={isUnattended ? 'bad' : undefined}
        hint={isUnattended ? 'nobody receives' : undefined}
      >
        {showWhole(workers)}
      </Tile>
    </dl>
  )
}

function Filter({ name, links }: { name: string; links: Links }): Markup {
  return (
    <form class="filters" action={links.overview()} aria-label="Queues by their names">
      <label>
        <span>Name contains</span>
        <input type="search" name="name" value={name} maxLength={200} autocomplete="off" />
      </label>
      <button class="button">Filter</button>
      {name === '' ? null : <a href={links.overview()}>All queues</a>}
    </form>
  )
}

function NoQueues({ name, links }: { name: string; links: Links }): Markup {
  if (name !== '') {
    return (
      <Empty title={`No queue has “${name}” in its name`}>
        <p>
          <a href={links.overview()}>All queues</a>
        </p>
      </Empty>
    )
  }
  return (
    <Empty title="There is no queue yet">
      <p>A queue is there as soon as something is enqueued in it, or somebody receives it:</p>
      <pre tabIndex={0}>
        <code>{ENQUEUE}</code>
      </pre>
    </Empty>
  )
}

const OF_WAIT = 'From when a job was due until its run started, last hour'
const OF_RUN = 'From the start of a run to its end, last hour'

const COLUMNS: readonly Column[] = [
  { name: 'Queue' },
  { name: 'Available', isNumber: true },
  { name: 'Running', isNumber: true },
  { name: 'Oldest due' },
  { name: 'Jobs/s', isNumber: true, title: 'Jobs that ended in a second, over five minutes' },
  { name: 'Last hour', title: 'Jobs that ended in each minute of the last hour' },
  { name: 'Failed', isNumber: true, title: 'The share of runs that failed in the last hour' },
  { name: 'Wait p50', isNumber: true, title: OF_WAIT },
  { name: 'Wait p95', isNumber: true, title: OF_WAIT },
  { name: 'Run p50', isNumber: true, title: OF_RUN },
  { name: 'Run p95', isNumber: true, title: OF_RUN },
]

function Queues(props: {
  queues: readonly SurveyedQueue[]
  hours: ReadonlyMap<number, LastHour>
  links: Links
}): Markup {
  const { queues, hours, links } = props
  return (
    <section class="panel">
      <h2>Queues</h2>
      <Table label="Queues" columns={COLUMNS}>
        {queues.map((queue) => (
          <Queue queue={queue} hour={hours.get(queue.id)} links={links} />
        ))}
      </Table>
    </section>
  )
}

function Queue(props: { queue: SurveyedQueue; hour: LastHour | undefined; links: Links }): Markup {
  const { queue, hour, links } = props
  const { name, available, running, oldestDueAt } = queue
  return (
    <Row id={name} href={links.queue(name)}>
      <td>
        <a href={links.queue(name)}>{name}</a>
        <Marks queue={queue} links={links} />
      </td>
      <td class="number">
        <Count count={available} />
      </td>
      <td class="number">
        <Running count={running} />
      </td>
      <td>{oldestDueAt === null ? <Nothing because="none is due" /> : <Ago at={oldestDueAt} />}</td>
      <LastHourCells hour={hour} />
    </Row>
  )
}

/** At least none says nothing. */
function Running({ count }: { count: Counted }): Markup {
  const isSilent = count.value === 0 && count.precision === 'atLeast'
  return isSilent ? <Nothing because="none of those counted" /> : <Count count={count} />
}

function Marks({ queue, links }: { queue: SurveyedQueue; links: Links }): Markup {
  const { name, fifo, isDlq, paused } = queue
  return (
    <>
      {fifo === true ? (
        <span class="badge" title="Strict order: one job at a time">
          FIFO
        </span>
      ) : null}
      {isDlq ? (
        <a class="tag" href={links.deadLetters({ queue: name })} title="Jobs that failed for good">
          dead letters
        </a>
      ) : null}
      {paused === null ? null : (
        <span class="status paused" title={pauseNote(paused)}>
          paused
        </span>
      )}
    </>
  )
}

function pauseNote({ at, by, reason }: NonNullable<SurveyedQueue['paused']>): string {
  const who = by === null ? 'Paused' : `Paused by ${by}`
  const since = `since ${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return `${who} ${since}${reason === null ? '' : `: ${reason}`}`
}

function LastHourCells({ hour }: { hour: LastHour | undefined }): Markup {
  const { figures, perSecond = 0, endedByMinute = [] } = hour ?? {}
  const ended = endedByMinute.reduce((sum, each) => sum + each, 0)
  const most = Math.max(0, ...endedByMinute)
  const failureRate = figures?.failureRate ?? null
  return (
    <>
      <td class="number">
        <span class={perSecond === 0 ? 'number zero' : 'number'}>{showNumber(perSecond)}</span>
      </td>
      <td>
        <Sparkline
          values={endedByMinute}
          label={`${showCount(ended, 'job')} ended in the last hour, at most ${showWhole(most)} in a minute`}
        />
      </td>
      <td class="number">
        {failureRate === null ? (
          <Nothing because="nothing ran" />
        ) : (
          <span class={failureRate > 0 ? 'bad-text' : 'number zero'}>{showShare(failureRate)}</span>
        )}
      </td>
      <Time ms={figures?.wait.p50Ms} />
      <Time ms={figures?.wait.p95Ms} />
      <Time ms={figures?.run.p50Ms} />
      <Time ms={figures?.run.p95Ms} />
    </>
  )
}

function Time({ ms }: { ms: number | null | undefined }): Markup {
  return (
    <td class="number">
      {ms === null || ms === undefined ? <Nothing because="nothing ran" /> : showDuration(ms)}
    </td>
  )
}
