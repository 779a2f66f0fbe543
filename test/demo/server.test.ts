import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { Demo, makeFolder } from './demo-process.ts'

const MANY = 300
const name = `demo_${randomBytes(4).toString('hex')}`
const many = makeFolder(MANY)
const server = new URL(inject('databaseUrl'))
const admin = new Client({ connectionString: server.href })

/** The same server with something else in its URL. */
function url(change: (changed: URL) => void = () => {}): string {
  const changed = new URL(server)
  changed.pathname = name
  change(changed)
  return changed.href
}
async function rows(sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url() })
  await client.connect()
  const answer = await client.query(sql)
  await client.end()
  return answer.rows as unknown[]
}

beforeAll(async () => {
  await admin.connect()
  await admin.query(`create database ${name}`)
  await admin.query(`create role ${name} login password 'of-secret'`)
}, 60_000)
afterAll(async () => {
  await admin.query(`drop database if exists ${name} with (force)`)
  await admin.query(`drop role if exists ${name}`)
  await admin.end()
  rmSync(many, { recursive: true })
})

describe('the demo on a server', () => {
  test('shares the work between two of them, each file once', async () => {
    const demos = [
      new Demo([many], { databaseUrl: url() }),
      new Demo([many], { databaseUrl: url() }),
    ]
    const ended = await Promise.all(demos.map((demo) => demo.ended))
    for (const { code, stdout, stderr } of ended) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain(`✓ ${MANY} files indexed`)
      expect(stdout).not.toContain(server.password)
    }
    const enqueued = ended.filter(({ stdout }) => stdout.includes('enqueued in one transaction'))
    expect(enqueued).toHaveLength(1)
    expect(await rows('select count(*)::int4 as n from millrace_demo.files')).toEqual([{ n: MANY }])
  })

  test('stops at Ctrl-C and goes on', async () => {
    const demo = new Demo([many], { databaseUrl: url() })
    await demo.says('run 1 of 4')
    const stopped = await demo.kill('SIGINT')
    expect(stopped.code).toBe(0)
    expect(stopped.stdout).toMatch(/Stopped: \d+ files? indexed, \d+ failed; .*: \d+ jobs?\./)
    const resumed = await new Demo([], { databaseUrl: url() }).ended
    expect(resumed.stdout).toContain('going on: ')
    expect(resumed.stdout).toContain(`✓ ${MANY} files indexed`)
    expect(await rows('select count(*)::int4 as n from millrace_demo.files')).toEqual([{ n: MANY }])
  })

  test('says that a folder has no files', async () => {
    const empty = makeFolder(0)
    const { code, stderr } = await new Demo([empty], { databaseUrl: url() }).ended
    rmSync(empty, { recursive: true })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `There is no file under 1.0 MB in ${empty}.\n`,
    })
  })

  test('answers SQL about its rows', async () => {
    const ask = (sql: string) => new Demo(['--sql', sql], { databaseUrl: url() }).ended
    const right = await ask('select kind, count(*)::int4 from millrace_demo.files group by kind')
    expect(right.code).toBe(0)
    expect(right.stdout).toMatch(new RegExp(`^Plain text +${MANY}$`, 'm'))
    const wrong = await ask('select nonsense')
    expect(wrong).toMatchObject({
      code: 1,
      stderr: 'The database says: column "nonsense" does not exist.\n',
    })
  })
})

describe('what is wrong with DATABASE_URL is said in one sentence, without the password', () => {
  test.each<[string, (changed: URL) => void, string]>([
    [
      'a wrong password',
      (to) => void (to.password = 'of-secret'),
      'does not let postgres in (28P01)',
    ],
    ['a port where nobody listens', (to) => void (to.port = '1'), 'does not answer (ECONNREFUSED)'],
    ['a database that is not there', (to) => void (to.pathname = 'of_nobody'), '3D000'],
    [
      'a role that may not create schemas',
      (to) => void ([to.username, to.password] = [name, 'of-secret']),
      `does not allow ${name} to do that (42501)`,
    ],
  ])('%s', async (_name, change, sentence) => {
    const { code, stdout, stderr } = await new Demo([many], { databaseUrl: url(change) }).ended
    expect(stderr).toContain(sentence)
    expect(code).toBe(1)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stdout + stderr).not.toContain('of-secret')
    expect(stdout + stderr).not.toContain(server.password)
  })
})
