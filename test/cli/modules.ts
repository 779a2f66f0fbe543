import { randomBytes } from 'node:crypto'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { inject } from 'vitest'

/** The repository: what is installed when somebody installs millrace. */
export const PROJECT = path.join(import.meta.dirname, '../..')

/** A project that has millrace installed, as everybody's. */
export const project = path.join(inject('scratchFolder'), randomBytes(6).toString('hex'))

/** Writes a file of the project. */
export function write(name: string, content: string): void {
  mkdirSync(path.dirname(path.join(project, name)), { recursive: true })
  writeFileSync(path.join(project, name), content)
}

/** Queues of a module's own, on the schema of the test. */
export const queues = (body: string, from = 'millrace'): string => `
  import pg from 'pg'
  import { JobQueue } from '${from}'
  const db = new pg.Pool({ connectionString: process.env.DATABASE_URL })
  const schema = process.env.MILLRACE_SCHEMA
  const work = async (job) => {
    if (job.args === 'bad') throw new Error('no good')
    await new Promise((resolve) => setTimeout(resolve, job.args.ms ?? 0))
  }
  ${body}`
export const emails = `new JobQueue(db, work, { queueName: 'emails', schema })`
const thumbs = `new JobQueue(db, work, { queueName: 'thumbs', schema })`

/** Makes the project, with a module of each kind that can be worked on. */
export function makeProject(): void {
  mkdirSync(path.join(project, 'node_modules'), { recursive: true })
  symlinkSync(PROJECT, path.join(project, 'node_modules/millrace'))
  symlinkSync(path.join(PROJECT, 'node_modules/pg'), path.join(project, 'node_modules/pg'))
  write('package.json', '{ "type": "module" }')
  write('one.js', queues(`export default ${emails}`))
  write('two.js', queues(`export default [${emails}, ${thumbs}]`))
  write('named.js', queues(`export const queues = [${emails}]`))
  write(
    'function.js',
    'export default async ({ args }) => { if (args === "bad") throw new Error("no good") }',
  )
  write('slow.js', 'export default () => new Promise((resolve) => setTimeout(resolve, 1_500))')
  write('deaf.js', 'export default () => new Promise((resolve) => setTimeout(resolve, 60_000))')
  write('object.js', 'export default { work: () => {} }')
  write('compiled.cjs', 'exports.__esModule = true; exports.default = () => {}')
  write('node_modules/jobs/package.json', '{ "name": "jobs", "main": "main.cjs" }')
  write('node_modules/jobs/main.cjs', 'module.exports = async () => {}')
}
