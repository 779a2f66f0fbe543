import path from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { compile, readmePrograms } from './compile.ts'
import { run } from './program.ts'

const full = inject('fullFolder')
const bare = inject('bareFolder')

const EMBEDDED = `
import { JobQueue, migrateUp, RetryPolicy, type Job, type Middleware } from 'millrace'
import { openEmbedded, type EmbeddedDatabase } from 'millrace/embedded'

const tenant: Middleware = {
  enqueue: (next) => async (context) => {
    context.metadata['tenant'] = 'a'
    await next(context)
  },
}

export async function run(): Promise<number | undefined> {
  const db: EmbeddedDatabase = await openEmbedded()
  await migrateUp(db)
  const queue = new JobQueue<{ n: number }, number>(db, (job) => job.args.n, { middlewares: [tenant] })
  const job: Job<{ n: number }> = await queue.enqueue({ n: 1 }, { retryPolicy: RetryPolicy.Linear })
  // @ts-expect-error: the arguments have a type
  await queue.enqueue({ n: 'one' })
  return (await queue.get(job.id))?.result
}
`

const TRACED = `
import { JobQueue, type Database } from 'millrace'
import { openTelemetry, type OpenTelemetryOptions } from 'millrace/otel'

const options: OpenTelemetryOptions = { relation: 'parent' }
export const open = (db: Database) => new JobQueue(db, { middlewares: [openTelemetry(options)] })
`

const SETTINGS: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext', types: ['node'] }],
  ['node20', { module: 'node20', types: ['node'] }],
  ['bundler', { module: 'esnext', moduleResolution: 'bundler', types: ['node'], noEmit: true }],
]

describe.each(SETTINGS)('types resolved as %s', (name, settings) => {
  test('fit, with every declaration checked', async () => {
    const files = { 'embedded.ts': EMBEDDED, 'traced.ts': TRACED }
    const all = { ...settings, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }
    expect((await compile(full, `types-${name}`, files, all)).complaints).toBe('')
  })

  test('fit the README', async () => {
    const programs = readmePrograms().map((code, index) => [`program-${index + 1}.ts`, code])
    const files = Object.fromEntries(programs) as Record<string, string>
    expect((await compile(full, `readme-${name}`, files, settings)).complaints).toBe('')
  })

  test('need no optional peer, nor the types of Node, as long as their door stays closed', async () => {
    const lib = ['es2023', 'dom', 'esnext.disposable']
    const alone = { ...settings, types: [], lib }
    expect((await compile(bare, `types-${name}`, { 'a.ts': EMBEDDED }, alone)).complaints).toBe('')
  })
})

test('a TypeScript file that is CommonJS imports it, and runs', async () => {
  const code = `import { JobQueue } from 'millrace'; console.log(typeof JobQueue)`
  const settings = { module: 'nodenext', types: ['node'] }
  const { complaints, output } = await compile(full, 'types-cjs', { 'a.cts': code }, settings)
  expect(complaints).toBe('')
  const ended = await run(path.join(output, 'a.cjs'), { folder: full })
  expect(ended).toEqual({ code: 0, output: 'function' })
})
