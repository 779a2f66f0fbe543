import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { build, type BuildOptions } from 'esbuild'
import { expect, inject, test } from 'vitest'
import { createDatabase } from './databases.ts'
import { run } from './program.ts'
import { root } from './tarball.ts'

const full = inject('fullFolder')
const bare = inject('bareFolder')

/** A function of a serverless platform: what is kept between its calls stands at the top. */
const HANDLER = `
import { JobQueue } from 'millrace'
import pg from 'pg'

const db = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 3 })
const squares = new JobQueue<number, number>(db, (job) => job.args ** 2, { queueName: 'squares' })

export async function handler() {
  return squares.drain({ timeout: '10s' })
}

export async function close() {
  await db.end()
}
`

/** Enqueues without a worker, as a route of a web application does. */
const PRODUCER = `
import { JobQueue, migrateUp } from 'millrace'
import { openTelemetry } from 'millrace/otel'
import pg from 'pg'

const db = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 3 })
await migrateUp(db)
const squares = new JobQueue<number>(db, { queueName: 'squares', middlewares: [openTelemetry()] })
await squares.enqueueMany([{ args: 7 }, { args: 8 }])
console.log(await squares.counts())
await db.end()
`

/** What esbuild says against it, and where the one file is: in a folder with nothing else. */
async function bundle(
  app: string,
  name: string,
  code: string,
  options: BuildOptions,
): Promise<{ warnings: string[]; folder: string; file: string }> {
  const entry = path.join(app, `${name}.ts`)
  writeFileSync(entry, code)
  const parent = path.join(path.dirname(app), 'bundles')
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(path.join(parent, `${name}-`))
  const file = path.join(folder, options.format === 'cjs' ? `${name}.cjs` : `${name}.mjs`)
  const fixed = { bundle: true, platform: 'node', target: 'node20', logLevel: 'silent' } as const
  const { warnings } = await build({ ...fixed, ...options, entryPoints: [entry], outfile: file })
  return { warnings: warnings.map(({ text }) => text), folder, file }
}

const page = readFileSync(path.join(root, 'docs/installing.md'), 'utf8')

/** As the page says: pg is CommonJS, and its `require` must be there in a file that is ESM. */
const BANNER = /--banner:js="([^"]+)"/.exec(page)?.[1] ?? 'the page names no banner'
const ESM: BuildOptions = { format: 'esm', banner: { js: BANNER } }

const CALL = `
import('./' + process.argv[2]).then(async ({ handler, close }) => {
  console.log(await handler())
  await close()
})`

test.each<[string, BuildOptions]>([
  ['ESM', ESM],
  ['ESM, made small', { ...ESM, minify: true }],
  ['CommonJS', { format: 'cjs' }],
])('a function for a serverless platform works as one file: %s', async (kind, options) => {
  const databaseUrl = await createDatabase(`bundle ${kind}`)
  const producer = await bundle(full, 'producer', PRODUCER, ESM)
  const sent = await run(producer.file, { folder: producer.folder, databaseUrl })
  expect(sent).toMatchObject({ code: 0, output: expect.stringContaining('available: 2') as string })
  const { warnings, folder, file } = await bundle(full, 'handler', HANDLER, options)
  writeFileSync(path.join(folder, 'call.cjs'), CALL)
  const args = [path.basename(file)]
  const ended = await run('call.cjs', { folder, args, databaseUrl })
  expect(ended).toEqual({ code: 0, output: '{ finished: 2, failed: 0, retried: 0 }' })
  expect([...producer.warnings, ...warnings]).toEqual([])
})

test('without the banner that docs/installing.md names, pg does not load', async () => {
  const { folder, file } = await bundle(full, 'bannerless', HANDLER, { format: 'esm' })
  const { code, output } = await run(file, { folder })
  expect(code).toBe(1)
  expect(output).toContain('Dynamic require of "events" is not supported')
  expect(page).toContain('*Dynamic require of "events" is not supported*')
})

test('the main door brings no optional peer into a bundle, and needs none', async () => {
  const code = `import { JobQueue } from 'millrace'; console.log(typeof JobQueue)`
  const { warnings, folder, file } = await bundle(bare, 'bare', code, { format: 'esm' })
  expect(await run(file, { folder })).toEqual({ code: 0, output: 'function' })
  expect(warnings).toEqual([])
})

test('an embedded database works from a bundle that leaves PGlite outside', async () => {
  const code = `
import { migrateUp, JobQueue } from 'millrace'
import { openEmbedded } from 'millrace/embedded'
const db = await openEmbedded()
await migrateUp(db)
console.log((await new JobQueue(db).enqueue(1)).id)
await db.close()`
  const external = ['@electric-sql/pglite']
  const { file, folder } = await bundle(full, 'embedded', code, { format: 'esm', external })
  const { output } = await run(file, { folder })
  expect(output).toContain('EMBEDDED_MISSING')
  const beside = await build({
    ...{ entryPoints: [path.join(full, 'embedded.ts')], outfile: path.join(full, 'beside.mjs') },
    ...{ bundle: true, platform: 'node', format: 'esm', external, logLevel: 'silent' },
  })
  expect(beside.warnings).toEqual([])
  expect(await run('beside.mjs', { folder: full })).toEqual({ code: 0, output: '1' })
})
