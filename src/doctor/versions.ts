import { showCommand } from '../core/show-command.ts'
import { LATEST_VERSION } from '../migrations/all.ts'
import type { Check } from './check.ts'
import { failure, ok, skipped, warning, withCommands, type Observation } from './finding.ts'
import { grantToLook, isRefused } from './rights.ts'
import type { Server, Subject } from './subject.ts'

/** The releases of PostgreSQL that the tests run on, and those on which everything is thought to work. */
const POSTGRES = { oldest: 13, oldestSupported: 15, newestSupported: 18 }
/** `engines` of package.json. */
const OLDEST_NODE = { major: 20, minor: 19 }

/** PostgreSQL, Node.js, Millrace, and the schema: whether they fit together. */
export const versions: Check = {
  name: 'versions',
  group: 'Schema',
  run: (subject) =>
    Promise.resolve([postgresOf(subject.server), nodeOf(process.versions.node), schemaOf(subject)]),
}

/** What is to be said about a release of PostgreSQL. */
export function postgresOf({ version, versionNumber }: Server): Observation {
  const { oldest, oldestSupported, newestSupported } = POSTGRES
  const major = Math.floor(versionNumber / 10_000)
  const details = { postgres: version, oldestSupported, newestSupported }
  const supported = `PostgreSQL ${oldestSupported} to ${newestSupported}`
  if (major < oldest) {
    const remedy = `Upgrade the server: Millrace works on ${supported}.`
    return failure(`PostgreSQL ${version} is too old.`, remedy, details)
  }
  if (major < oldestSupported) {
    const remedy = `Upgrade the server soon: ${supported} are supported.`
    return warning(`PostgreSQL ${version} is older than what is supported.`, remedy, details)
  }
  if (major > newestSupported) {
    const remedy = `Look for a newer release of Millrace: this one was tested on ${supported}.`
    return warning(`PostgreSQL ${version} is newer than this release knows.`, remedy, details)
  }
  return ok(`PostgreSQL ${version} is supported.`, details)
}

/** What is to be said about a release of Node.js. */
export function nodeOf(version: string): Observation {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const { major: oldest, minor: oldestMinor } = OLDEST_NODE
  const isOld = major < oldest || (major === oldest && minor < oldestMinor)
  if (!isOld) return ok(`Node.js ${version} is supported.`, { node: version })
  const remedy = `Install Node.js ${oldest}.${oldestMinor} or newer.`
  return failure(`Node.js ${version} is too old.`, remedy, { node: version })
}

function schemaOf({ standing, store: { schema }, server, version }: Subject): Observation {
  const migrate = withCommands('Apply what is missing:', showCommand('migrate up', { schema }))
  const release = `Millrace ${version}`
  if (standing.kind === 'missing') {
    return failure(
      `There is no schema ${server.quotedSchema} of Millrace in this database.`,
      migrate,
    )
  }
  if (standing.kind === 'unknown') return unreadable(standing.error, server)
  const { current, oldestCode } = standing
  const details = { millrace: version, current, latest: LATEST_VERSION, oldestCode }
  switch (standing.kind) {
    case 'outdated': {
      const message = `The schema is at version ${current}, and ${release} needs version ${LATEST_VERSION}.`
      return failure(message, migrate, details)
    }
    case 'too new': {
      const message = `The schema is at version ${current} and needs code of version ${oldestCode}: ${release} knows ${LATEST_VERSION}.`
      return failure(message, 'Install a newer release of Millrace here.', details)
    }
    case 'usable': {
      const newer =
        current > LATEST_VERSION ? `, newer than ${release} but fit for it` : `, that of ${release}`
      return ok(`The schema is at version ${current}${newer}.`, details)
    }
  }
}

function unreadable(error: Error, server: Server): Observation {
  if (isRefused(error)) {
    const message = `${server.quotedUser} may not read how far the schema was migrated.`
    return skipped(message, grantToLook(server))
  }
  return failure(
    error.message,
    'Name the schema that Millrace has made, by --schema or MILLRACE_SCHEMA.',
  )
}
