import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import { lockDirectory } from '../../src/embedded/directory-lock.ts'
import { JobQueue, migrateUp } from '../../src/index.ts'
import { expect, test } from '../support/fixtures.ts'
import { environmentOf, millrace, type MillraceOptions } from './millrace.ts'

const SECRET = 'mill%20of-secrets'
const role = `cli_${randomBytes(4).toString('hex')}`
const admin = new Client({ connectionString: inject('databaseUrl') })

beforeAll(async () => {
  await admin.connect()
  await admin.query(`create role ${role} login password '${SECRET}'`)
})

afterAll(async () => {
  await admin.query(`drop schema if exists ${role} cascade`)
  await admin.query(`drop role ${role}`)
  await admin.end()
})

/** The test server with something else in its URL. */
function url(change: (changed: URL) => void): string {
  const changed = new URL(inject('databaseUrl'))
  change(changed)
  return changed.href
}

/** What holds for every failure: one sentence, on standard error alone, without a trace or a password. */
async function sentenceOf(args: readonly string[], options: MillraceOptions, code: number) {
  const ended = await millrace(args, options)
  expect(ended).toMatchObject({ code, stdout: '' })
  expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(ended.stderr).not.toMatch(/\n\s+at |Error:|undefined|\[object/)
  for (const secret of [
    SECRET,
    decodeURIComponent(SECRET),
    new URL(inject('databaseUrl')).password,
  ]) {
    expect(ended.stderr).not.toContain(secret)
  }
  return ended.stderr
}

describe('a database that cannot be used is explained in one sentence', () => {
  const wrong: [string, () => MillraceOptions, RegExp, number?][] = [
    [
      'a wrong password',
      () => ({ databaseUrl: url((to) => void (to.password = SECRET)) }),
      /^The server at 127\.0\.0\.1:\d+ does not let postgres in \(28P01\): the user or the password in DATABASE_URL is wrong\.$/,
    ],
    [
      'a wrong password that is the name of the user',
      () => ({ databaseUrl: url((to) => void (to.password = 'postgres')) }),
      /^The server at .* does not let postgres in \(28P01\)/,
    ],
    [
      'no password',
      () => ({ databaseUrl: url((to) => void (to.password = '')) }),
      /^The server at .* wants a password, and DATABASE_URL has none\.$/,
    ],
    [
      'a database that is not there',
      () => ({ databaseUrl: url((to) => void (to.pathname = '/of_nobody')) }),
      /^The server at .* has no database of_nobody \(3D000\): create it, or name another one in DATABASE_URL\.$/,
    ],
    [
      'a port where nobody listens',
      () => ({ databaseUrl: url((to) => void (to.port = '1')) }),
      /^The server at 127\.0\.0\.1:1 does not answer \(ECONNREFUSED\): is it running, and is the address in DATABASE_URL right\?$/,
    ],
    [
      'a host that is not there',
      () => ({ databaseUrl: `postgres://someone:${SECRET}@no-such-host.invalid/app` }),
      /^There is no host no-such-host\.invalid:5432 \((ENOTFOUND|EAI_AGAIN)\)/,
    ],
    [
      'a server without SSL, where it is wanted',
      () => ({ databaseUrl: url((to) => to.searchParams.set('sslmode', 'require')) }),
      /^The server at .* does not speak SSL: use a server that does, or sslmode=disable in DATABASE_URL or PGSSLMODE\.$/,
    ],
    [
      'a file of certificates that is not there',
      () => ({ databaseUrl: url((to) => to.searchParams.set('sslrootcert', '/no/such.pem')) }),
      /^The file \/no\/such\.pem, which DATABASE_URL names, is not there \(ENOENT\)\.$/,
    ],
    [
      'a setting that the driver refuses',
      () => ({ databaseUrl: url((to) => to.searchParams.set('sslnegotiation', 'often')) }),
      /^Cannot connect to the database postgres on 127\.0\.0\.1:\d+: Invalid sslnegotiation value: "often"\./,
    ],
    [
      'what is no URL',
      () => ({ databaseUrl: `my:${SECRET}@database` }),
      /^DATABASE_URL is not the URL of a PostgreSQL database, such as postgres:\/\/user@host:5432\/name\.$/,
      2,
    ],
    [
      'the URL of something else',
      () => ({ databaseUrl: `mysql://root:${SECRET}@localhost/app` }),
      /^DATABASE_URL is not the URL of a PostgreSQL database/,
      2,
    ],
    [
      'PG* variables',
      () => ({
        databaseUrl: null,
        env: { PGHOST: '127.0.0.1', PGPORT: '1', PGUSER: 'someone', PGPASSWORD: SECRET },
      }),
      /^The server at 127\.0\.0\.1:1 does not answer .* is the address in the PG\* variables right\?$/,
    ],
    [
      'a service, which node-postgres does not know',
      () => ({ databaseUrl: null, env: { PGSERVICE: 'app' } }),
      /^PGSERVICE is not read by node-postgres: pass --database-url,/,
      2,
    ],
    [
      'a schema that is not there',
      () => ({ schema: 'not there' }),
      /^There is no schema not there of Millrace in this database \(SCHEMA_MISSING\)\. Run: millrace migrate up --schema 'not there'$/,
    ],
    [
      'a name that no schema can have',
      () => ({ schema: 'pg_mine' }),
      /^The option "schema" cannot be "pg_mine"; /,
      2,
    ],
  ]

  test.each(wrong)('%s', async (_name, options, sentence, code = 1) => {
    expect((await sentenceOf(['queues'], options(), code)).trimEnd()).toMatch(sentence)
  })

  test('a role that may not', async () => {
    const databaseUrl = url((to) => {
      to.username = role
      to.password = encodeURIComponent(SECRET)
    })
    const sentence = await sentenceOf(['migrate', 'up'], { databaseUrl, schema: `${role} new` }, 1)
    expect(sentence).toMatch(/^The server at .* does not allow cli_\w+ to do that \(42501\): /)
  })

  test('--database-url comes before DATABASE_URL', async () => {
    const args = ['queues', '--database-url', `postgres://a:${SECRET}@127.0.0.1:1/x`]
    expect(await sentenceOf(args, {}, 1)).toContain('is the address in --database-url right?')
  })

  test('and as JSON', async () => {
    const options = { databaseUrl: url((to) => void (to.password = SECRET)) }
    const { error } = JSON.parse(await sentenceOf(['queues', '--json'], options, 1)) as {
      error: { code: string; message: string }
    }
    expect(error.code).toBe('28P01')
    expect(error.message).toContain('does not let postgres in')
  })
})

describe('an embedded database that cannot be used is explained too', () => {
  test('a file is in the way', async () => {
    const cwd = mkdtempSync(path.join(inject('scratchFolder'), 'file-'))
    writeFileSync(path.join(cwd, '.millrace'), 'mine')
    const sentence = await sentenceOf(['migrate', 'up'], { databaseUrl: null, cwd }, 1)
    expect(sentence).toMatch(
      /^The folder of the embedded database, .*\.millrace, is not a folder \(EEXIST\)\./,
    )
  })

  test('its package is not installed', () => {
    const lonely = mkdtempSync(path.join(inject('scratchFolder'), 'lonely-'))
    const project = path.join(import.meta.dirname, '../..')
    cpSync(path.join(project, 'dist'), path.join(lonely, 'dist'), { recursive: true })
    writeFileSync(path.join(lonely, 'package.json'), '{ "type": "module" }')
    mkdirSync(path.join(lonely, 'node_modules'))
    for (const name of ['pg', 'commander', 'hono']) {
      symlinkSync(
        path.join(project, 'node_modules', name),
        path.join(lonely, 'node_modules', name),
        'junction',
      )
    }
    const main = path.join(lonely, 'dist/cli/main.js')
    const ended = spawnSync(process.execPath, [main, 'migrate', 'up'], {
      ...{ cwd: lonely, env: environmentOf({ databaseUrl: null }), encoding: 'utf8' },
    })
    expect(ended).toMatchObject({ status: 1, stdout: '' })
    expect(ended.stderr).toBe(
      'No database is named, and the embedded one needs a package. To use a server, pass --database-url or set ' +
        'DATABASE_URL; to use the embedded one, run: npm install @electric-sql/pglite\n',
    )
    expect(existsSync(path.join(lonely, '.millrace'))).toBe(false)
  })

  test('it is open in another process', async () => {
    const cwd = mkdtempSync(path.join(inject('scratchFolder'), 'held-'))
    mkdirSync(path.join(cwd, '.millrace'))
    const lock = await lockDirectory(path.join(cwd, '.millrace'))
    const sentence = await sentenceOf(['queues'], { databaseUrl: null, cwd }, 1)
    await lock.release()
    expect(sentence).toContain(`is open in process ${process.pid}`)
    expect(sentence).toContain('On a server (--database-url) several processes can work at once.')
  })
})

describe('a command line that is wrong does nothing and exits with 2', () => {
  test.each<[string[], RegExp]>([
    [['quues'], /^Unknown command 'quues'\. \(Did you mean queues\?\) Try --help\.$/],
    [
      [`postgres://ada:${SECRET}@localhost/app`],
      /^Unknown command 'postgres:\/\/ada:\*\*\*@localhost\/app'\./,
    ],
    [['jobs', 'lst'], /^Unknown command 'lst'\. \(Did you mean list\?\) Try --help\.$/],
    [['queues', '--exat'], /^Unknown option '--exat'\. \(Did you mean --exact\?\) Try --help\.$/],
    [
      ['queues', 'emails'],
      /^Too many arguments for 'queues'\. Expected 0 arguments but got 1\. Try --help\.$/,
    ],
    [['redrive'], /^Missing required argument 'dlq'\. Try --help\.$/],
    [
      ['jobs', 'show', '4x'],
      /'4x' is invalid for argument 'id'\. A job id is a whole number such as 42\. Try/,
    ],
    [
      ['jobs', 'cancel', '1', '-2'],
      /'-2' is invalid for argument 'ids'\. A job id is a whole number/,
    ],
    [
      ['jobs', 'list', '--older-than', '1 hour'],
      /'1 hour' is invalid\. It takes a duration such as/,
    ],
    [
      ['jobs', 'list', '--status', 'done'],
      /'done' is invalid\. Allowed choices are available, running,/,
    ],
    [['jobs', 'list', '--limit', '0'], /'0' is invalid\. It takes a whole number from 1 to 1000\./],
    [['jobs', 'list', '--queue'], /^Option '-q, --queue <name>' argument missing\./],
    [['jobs', 'delete'], /^Which jobs\? Pass ids, or a filter such as --queue\./],
    [['jobs', 'delete', '1', '--status', 'failed'], /^Pass ids or filters, not both/],
    [
      ['jobs', 'cancel', '-s', 'failed'],
      /'failed' is invalid\. Allowed choices are available, running\. Try/,
    ],
    [['jobs', 'list', '--error', ''], /'' is invalid\. It takes a text of 1 to 1,000 characters\./],
    [['jobs', 'list', '--metadata', '{}'], /'{}' is invalid\. It takes an object as JSON with at/],
    [['jobs', 'cancel', '--metadata', 'tenant=7'], /is invalid\. It takes an object as JSON/],
    [['jobs', 'delete', '--limit', '5'], /^Which jobs\? Pass ids, or a filter such as --queue\./],
    [
      ['redrive', 'dead', '--id', '4x'],
      /'4x' is invalid\. A job id is a whole number such as 42\./,
    ],
    [['redrive', 'dead', '--id', '4', '--error', 'x'], /^Pass --id or filters, not both/],
    [['redrive', 'dead', '--id', '4', '--limit', '1'], /^Pass --id or filters, not both/],
    [
      ['redrive', 'dead', '--args', '1'],
      /^--args goes with one --id: they are the arguments of one/,
    ],
    [['redrive', 'dead', '--id', '4', '--id', '5', '--args', '1'], /^--args goes with one --id/],
    [['redrive', 'dead', '--id', '4', '--args', '{'], /^--args is not JSON/],
    [['redrive', 'dead', '--status', 'failed'], /^Unknown option '--status'/],
    [['jobs', 'watch', '--interval', '1ms'], /^The option "interval" cannot be "1ms"/],
    [['migrate', 'down'], /^Required option '--to <version>' not specified\. Try --help\.$/],
    [['migrate', 'up', '--to', '1'], /^--from and --to go with --print/],
    [['migrate', 'up', '--print', '--to', '99'], /^The option "to" cannot be 99/],
    [['completion', 'tcsh'], /'tcsh' is invalid.* Allowed choices are bash, zsh, fish\./],
  ])('%j', async (args, sentence) => {
    expect((await sentenceOf(args, {}, 2)).trimEnd()).toMatch(sentence)
  })

  test('a command without its subcommand is explained', async () => {
    const ended = await millrace(['jobs'])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toContain('Usage: millrace jobs')
  })
})

describe('what is not there is said, and exits with 1', () => {
  test.each<[string[], RegExp]>([
    [['jobs', 'list', '-q', 'defalt'], /^There is no queue "defalt": did you mean default\?$/],
    [['jobs', 'retry', '-q', 'x', '--yes'], /^There is no queue "x": millrace queues lists them$/],
    [['redrive', 'default-dead'], /^There is no queue "default-dead"/],
    [
      ['jobs', 'show', '12345'],
      /^There is no job 12345: it never was, was deleted, or ended so long ago/,
    ],
    [['jobs', 'show', '12345', '-q', 'default'], /^There is no job 12345 in the queue default/],
  ])('%j', async (args, sentence) => {
    const schema = await filledSchema()
    expect((await sentenceOf(args, { schema }, 1)).trimEnd()).toMatch(sentence)
  })
})

let filled: string | undefined

/** A schema that holds the queue `default`, made once. */
async function filledSchema(): Promise<string> {
  if (filled !== undefined) return filled
  filled = role
  await migrateUp(admin, { schema: filled })
  await new JobQueue(admin, { schema: filled }).enqueue(1)
  return filled
}
