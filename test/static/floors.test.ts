import { expect, test } from 'vitest'
import { importsOf, readSources, stringsOf } from './sources.ts'

/** Rooms by floor: a file imports from lower floors and from its own room, nothing else. */
const FLOORS: Record<string, number> = {
  core: 0,
  drivers: 1,
  store: 2,
  migrations: 2,
  worker: 3,
  maintenance: 3,
  enqueue: 3,
  doctor: 3,
  metrics: 3,
  '': 4, // the files of src/ itself: the public face
  embedded: 5,
  dashboard: 5,
  otel: 5,
  cli: 6,
}

const sources = readSources()

const roomOf = (file: string): string => file.split('/').slice(0, -1)[0] ?? ''

const floorOf = (file: string): number => {
  const floor = FLOORS[roomOf(file)]
  if (floor === undefined) throw new Error(`src/${file} is in a room without a floor`)
  return floor
}

test('a file imports from lower floors or from its own room', () => {
  const climbers = sources.flatMap((source) =>
    importsOf(source)
      .filter((imported) => /\.tsx?$/.test(imported))
      .filter((imported) => roomOf(imported) !== roomOf(source.file))
      .filter((imported) => floorOf(imported) >= floorOf(source.file))
      .map((imported) => `src/${source.file} imports src/${imported}`),
  )
  expect(climbers).toEqual([])
})

test('a room has no rooms inside, but for what is large: commands, and the addresses, pages and files of the dashboard', () => {
  const files = sources.map(({ file }) => file)
  const mostParts = (file: string): number =>
    /^(cli|dashboard\/(api|pages|assets))\//.test(file) ? 3 : 2
  expect(files.filter((file) => file.split('/').length > mostParts(file))).toEqual([])
})

test('no file of src imports one that is not there, or leaves src', () => {
  const known = new Set(sources.map(({ file }) => file))
  const lost = sources.flatMap((source) =>
    importsOf(source)
      .filter((imported) => /\.tsx?$/.test(imported) || imported.startsWith('..'))
      .filter((imported) => !known.has(imported))
      .map((imported) => `src/${source.file} imports ${imported}`),
  )
  expect(lost).toEqual([])
})

test('no file is longer than 400 lines', () => {
  const long = sources
    .map(({ file, text }) => ({ file, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > 400)
  expect(long).toEqual([])
})

test('packages are known to the room that drives them only', () => {
  const allowed: Record<string, string[]> = {
    pg: ['drivers', 'cli'],
    postgres: ['drivers'],
    '@electric-sql/pglite': ['embedded'],
    '@opentelemetry/api': ['otel'],
    hono: ['dashboard'],
    'hono/jsx': ['dashboard'],
    'hono/jsx/jsx-runtime': ['dashboard'],
    commander: ['cli'],
  }
  const strangers = sources.flatMap((source) =>
    importsOf(source)
      .filter((name) => !/\.tsx?$/.test(name) && !name.startsWith('node:'))
      .filter((name) => !allowed[name]?.includes(roomOf(source.file)))
      .map((name) => `src/${source.file} imports ${name}`),
  )
  expect(strangers).toEqual([])
})

test('the core does no I/O', () => {
  const pure = new Set([
    'node:util',
    'node:util/types',
    'node:async_hooks',
    'node:timers/promises',
    'node:crypto',
  ])
  const doers = sources
    .filter(({ file }) => roomOf(file) === 'core')
    .flatMap((source) =>
      importsOf(source)
        .filter((name) => name.startsWith('node:') && !pure.has(name))
        .map((name) => `src/${source.file} imports ${name}`),
    )
  expect(doers).toEqual([])
})

/** The demo is an application: it has a table of its own, and says what an application says. */
const isDemo = (file: string): boolean => file.startsWith('cli/demo/')

/**
 * Statements that name a table or change the schema: the business of store and migrations alone.
 * What the server itself has (`pg_catalog`, functions) is nobody's table.
 */
const OF_TABLES =
  /\b(insert\s+into\s|delete\s+from\s|update\s+\S+\s+(as\s+\w+\s+)?set\s|select\s[^']*\sfrom\s+(?!pg_|\w+\()["{$\w]|create\s+(table|schema|index|function|sequence)\s|(alter|drop)\s+(table|schema|index|function)\s)/

/** Statements about the session itself, which the drivers say too. */
const OF_SESSIONS =
  /^\s*((begin|commit|rollback|savepoint|listen|unlisten|notify)(\s|$)|select\s+(\d|pg_)|set\s+(local\s+)?\w+\s*=)/

/** What people are told to run by hand is run by nobody here, and stands in one file. */
const isForPeople = (file: string): boolean => file === 'doctor/commands.ts'

test('SQL that names a table stands in store and migrations only', () => {
  const found = sources
    .filter(({ file }) => !['store', 'migrations'].includes(roomOf(file)))
    .filter(({ file }) => !isDemo(file) && !isForPeople(file))
    .flatMap((source) =>
      stringsOf(source)
        .filter((text) => OF_TABLES.test(text))
        .map((text) => `src/${source.file}: ${text.trim().slice(0, 80)}`),
    )
  expect(found).toEqual([])
})

test('SQL about sessions stands in drivers, store and migrations only', () => {
  const found = sources
    .filter(
      ({ file }) => !['drivers', 'store', 'migrations'].includes(roomOf(file)) && !isDemo(file),
    )
    .filter(({ file }) => !isForPeople(file))
    .flatMap((source) =>
      stringsOf(source)
        .filter((text) => OF_SESSIONS.test(text))
        .map((text) => `src/${source.file}: ${text.trim().slice(0, 80)}`),
    )
  expect(found).toEqual([])
})
