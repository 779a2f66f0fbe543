import { STATUSES } from '../../job-filter.ts'
import type { Links } from './links.ts'
import type { Markup } from './page.ts'

/* Which jobs of a queue a page shows: what its address says, the form that asks for others, and the links between. */

/** A filter as the JSON API takes it: in an address, and in the body of what is done to all that it lets pass. */
export interface ShownFilter {
  readonly status?: string
  readonly olderThan?: string
  readonly newerThan?: string
  readonly errorText?: string
  readonly metadata?: object
  readonly tags?: readonly string[]
}

/** What a list of jobs is asked with. */
export interface Asked {
  readonly queueName: string
  readonly filter: ShownFilter
  readonly order: 'newest' | 'oldest'
  /** Undefined: as many as usual. */
  readonly limit: number | undefined
}

/** So many tags can be looked for at once. */
const MOST_TAGS = 10

/** What the parameters say, which have been checked. Who types puts spaces around, or names a tag that is there already. */
export function readAsked(queueName: string, query: Readonly<Record<string, unknown>>): Asked {
  const { tags = [], limit, order, cursor: _cursor, ...others } = query
  const { olderThan, newerThan, ...filter } = others as ShownFilter
  const named = new Set((tags as readonly string[]).map((tag) => tag.trim()))
  named.delete('')
  return {
    queueName,
    filter: {
      ...filter,
      ...(olderThan === undefined ? {} : { olderThan: olderThan.trim() }),
      ...(newerThan === undefined ? {} : { newerThan: newerThan.trim() }),
      ...(named.size === 0 ? {} : { tags: [...named] }),
    },
    order: order === 'oldest' ? 'oldest' : 'newest',
    limit: limit as number | undefined,
  }
}

/** The same list with another filter, from its first page on. */
export function linkTo(links: Links, asked: Asked, filter: ShownFilter, cursor?: string): string {
  const { queueName, order, limit } = asked
  const { metadata, ...others } = filter
  return links.jobs(queueName, {
    ...others,
    metadata: metadata === undefined ? undefined : JSON.stringify(metadata),
    order: order === 'newest' ? undefined : order,
    limit,
    cursor,
  })
}

/** The same list, of those among its jobs that have this tag. */
export function linkToTag(links: Links, asked: Asked, tag: string): string {
  const { tags = [], ...others } = asked.filter
  const wanted = [...tags.filter((each) => each !== tag), tag].slice(-MOST_TAGS)
  return linkTo(links, asked, { ...others, tags: wanted })
}

/** Asks for other jobs. Tags that are looked for stay: what is typed is one more. */
export function FilterForm({ asked, links }: { asked: Asked; links: Links }): Markup {
  const { queueName, filter, order, limit } = asked
  const { status, olderThan, newerThan, errorText, metadata, tags = [] } = filter
  return (
    <form class="filters" method="get" action={links.anyJobs()}>
      <Text name="queue" label="Queue" value={queueName} size={14} placeholder="emails" />
      <Choice name="status" label="Status" chosen={status ?? ''} options={['', ...STATUSES]} />
      <Text name="tags" label="Tag" value="" size={14} placeholder="customer:42" />
      <Text name="olderThan" label="Older than" value={olderThan} size={6} placeholder="1h" />
      <Text name="newerThan" label="Newer than" value={newerThan} size={6} placeholder="7d" />
      <Text name="errorText" label="Error" value={errorText} size={18} placeholder="ECONNREFUSED" />
      <Text
        name="metadata"
        label="Metadata"
        size={16}
        value={metadata === undefined ? undefined : JSON.stringify(metadata)}
        placeholder={'{"tenant":7}'}
      />
      <Choice name="order" label="Order" chosen={order} options={['newest', 'oldest']} />
      {tags.map((tag) => (
        <input type="hidden" name="tags" value={tag} />
      ))}
      {limit === undefined ? null : <input type="hidden" name="limit" value={String(limit)} />}
      <button class="button">Filter</button>
    </form>
  )
}

function Text(props: {
  name: string
  label: string
  value: string | undefined
  /** In characters. */
  size: number
  placeholder: string
}): Markup {
  const { name, label, value = '', size, placeholder } = props
  return (
    <label>
      <span>{label}</span>
      <input
        type="text"
        name={name}
        value={value}
        size={size}
        placeholder={placeholder}
        autocomplete="off"
        spellcheck={false}
      />
    </label>
  )
}

function Choice(props: {
  name: string
  label: string
  chosen: string
  options: readonly string[]
}): Markup {
  const { name, label, chosen, options } = props
  return (
    <label>
      <span>{label}</span>
      <select name={name}>
        {options.map((option) => (
          <option value={option} selected={option === chosen}>
            {option === '' ? 'any' : option}
          </option>
        ))}
      </select>
    </label>
  )
}

/** What the list is filtered by; each is a link that takes it away. */
export function Chips({ asked, links }: { asked: Asked; links: Links }): Markup {
  const chips = chipsOf(asked.filter)
  if (chips.length === 0) return null
  return (
    <ul class="chips" aria-label="Filtered by">
      {chips.map(({ text, without }) => (
        <li>
          <a class="tag" href={linkTo(links, asked, without)} title="Take this filter away">
            <span aria-hidden="true">× </span>
            <span class="heard">Take away: </span>
            {text}
          </a>
        </li>
      ))}
      {chips.length === 1 ? null : (
        <li>
          <a href={linkTo(links, asked, {})}>All jobs</a>
        </li>
      )}
    </ul>
  )
}

interface Chip {
  readonly text: string
  readonly without: ShownFilter
}

function chipsOf(filter: ShownFilter): readonly Chip[] {
  const { status, olderThan, newerThan, errorText, metadata, tags = [] } = filter
  const chip = (text: string | undefined, changes: ShownFilter): readonly Chip[] =>
    text === undefined ? [] : [{ text, without: { ...filter, ...changes } }]
  return [
    ...chip(status, { status: undefined }),
    ...chip(olderThan && `older than ${olderThan}`, { olderThan: undefined }),
    ...chip(newerThan && `newer than ${newerThan}`, { newerThan: undefined }),
    ...chip(errorText && `error: ${errorText}`, { errorText: undefined }),
    ...chip(metadata && `metadata: ${JSON.stringify(metadata)}`, { metadata: undefined }),
    ...tags.flatMap((tag) => chip(`tag: ${tag}`, { tags: tags.filter((each) => each !== tag) })),
  ]
}
