import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, inject, test } from 'vitest'
import { readRequest } from '../../src/cli/demo/request.ts'
import type { Cli } from '../../src/cli/cli.ts'
import { Millrace, millrace } from './millrace.ts'

function newFolder(...below: string[]): string {
  const folder = path.join(inject('scratchFolder'), randomBytes(6).toString('hex'))
  mkdirSync(path.join(folder, ...below), { recursive: true })
  return folder
}

test('without a server, jobs go from a file through a worker', { timeout: 90_000 }, async () => {
  const cwd = newFolder()
  const where = { databaseUrl: null, cwd }
  writeFileSync(
    path.join(cwd, 'work.mjs'),
    'export default ({ args }) => { if (args.bad) throw new Error("no good") }',
  )
  writeFileSync(path.join(cwd, 'jobs.jsonl'), '{"bad":true}\n{"bad":false}\n{"bad":maybe}\n')

  const nothing = await millrace(['enqueue', 'q', '1'], where)
  expect(nothing).toMatchObject({ code: 1, stdout: '' })
  expect(nothing.stderr).toContain('millrace migrate up')

  expect(await millrace(['migrate', 'up'], where)).toMatchObject({ code: 0 })
  const enqueued = await millrace(
    ['enqueue', 'q', '--file', 'jobs.jsonl', '--max-retries', '0'],
    where,
  )
  expect(enqueued).toMatchObject({
    code: 3,
    stdout: 'Enqueued 2 jobs into q; 1 line was refused.\n',
  })
  const none = await millrace(['enqueue', 'q', '--file', 'jobs.jsonl', '--atomic'], where)
  expect(none).toMatchObject({ code: 1 })
  const all = await millrace(['enqueue', 'q', '-', '--atomic'], { ...where, input: '{}\n{}\n{}' })
  expect(all).toMatchObject({ code: 0, stdout: 'Enqueued 3 jobs into q.\n' })

  const drained = await millrace(['drain', 'work.mjs', '-q', 'q', '--json'], where)
  expect(JSON.parse(drained.stdout)).toEqual([
    { queueName: 'q', finished: 4, failed: 1, retried: 0 },
  ])

  const doing = new Millrace(['work', 'work.mjs', '-q', 'q'], where)
  await doing.says('This process works as worker')
  const second = await millrace(['work', 'work.mjs', '-q', 'q'], where)
  expect(second).toMatchObject({ code: 1, stdout: '' })
  expect(second.stderr).toContain(`process ${doing.pid}`)
  expect(await doing.kill('SIGTERM')).toMatchObject({ code: 0 })
})

test('the demo takes the packages of the project that it is started in, else where it is', () => {
  const project = newFolder('src', 'deep')
  writeFileSync(path.join(project, 'package.json'), '{}')
  const deep = path.join(project, 'src/deep')
  const read = (cwd: string, folder?: string, env = {}) => readRequest(folder, { cwd, env } as Cli)
  expect(read(deep)).toMatchObject({
    folder: undefined,
    usualFolder: deep,
    command: 'millrace demo',
  })
  mkdirSync(path.join(project, 'node_modules'))
  expect(read(deep).usualFolder).toBe(path.join(project, 'node_modules'))
  expect(read(deep, 'mine').folder).toBe(path.join(deep, 'mine'))
  const env = { npm_lifecycle_event: 'demo', npm_package_name: 'millrace', INIT_CWD: '/elsewhere' }
  expect(read(project, 'mine', env)).toMatchObject({
    folder: path.resolve('/elsewhere/mine'),
    command: 'npm run demo',
    commandWithArguments: 'npm run demo --',
  })
  const others = { ...env, npm_package_name: 'theirs' }
  expect(read(project, 'mine', others).folder).toBe(path.join(project, 'mine'))
})
