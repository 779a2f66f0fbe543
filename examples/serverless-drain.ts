/*
 * Serverless drain: one route enqueues, another, called every minute by the platform's scheduler,
 * works off what is due and answers before the platform ends it. Both are functions from a Request
 * to a Response, as Next.js, Vercel, Netlify, Deno and others take them.
 *
 *   DATABASE_URL=postgres://localhost/test node examples/serverless-drain.ts
 *
 * The last part of this file calls them as a platform would. The limits of this way of working are
 * in docs/serverless.md.
 */
import { timingSafeEqual } from 'node:crypto'
import pg from 'pg'
import { JobQueue, migrateUp } from 'millrace'

interface Signup {
  email: string
}

// At the top of the module: an instance that is used again keeps its connections.
const db = new pg.Pool({
  connectionString: process.env['DATABASE_URL'],
  max: 3, // 2 for Millrace, 1 for the handlers; many instances share the server's connections
  idleTimeoutMillis: 5_000, // an instance that is frozen soon should hold none
  allowExitOnIdle: true,
})
const sent: string[] = []
const signups = new JobQueue<Signup>(
  db,
  async ({ args }) => {
    await Promise.resolve(sent.push(args.email)) // the mail provider
  },
  { queueName: 'signups' },
)

/** POST /signup: the answer goes out when the job is committed; nothing runs here. */
async function signUp(request: Request): Promise<Response> {
  const { email } = (await request.json()) as Partial<Signup>
  if (typeof email !== 'string')
    return Response.json({ error: 'email is missing' }, { status: 400 })
  const job = await signups.enqueue({ email }, { timeout: '20s' })
  return Response.json({ job: job.id }, { status: 202 })
}

/** POST /drain: for the scheduler alone. The platform ends it after 60 s; jobs take up to 20. */
async function drain(request: Request): Promise<Response> {
  if (!isScheduler(request)) return new Response(null, { status: 401 })
  const done = await signups.drain({ timeout: '30s', limit: 100, concurrency: 5 })
  const { available } = await signups.counts() // what is left waits for the next call
  return Response.json({ ...done, available })
}

function isScheduler(request: Request): boolean {
  const given = Buffer.from(request.headers.get('authorization') ?? '')
  const wanted = Buffer.from(`Bearer ${process.env['CRON_SECRET'] ?? 'only for this example'}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

// In earnest a step of the deployment, not of a request: see docs/deployment.md.
await migrateUp(db)

const site = 'https://example.org'
for (const email of ['ada@example.org', 'eve@example.org', undefined]) {
  const body = JSON.stringify({ email })
  const { status } = await signUp(new Request(`${site}/signup`, { method: 'POST', body }))
  console.log(`Signed up ${email}: ${status}`)
}
const stranger = await drain(new Request(`${site}/drain`, { method: 'POST' }))
console.log(`Drained by a stranger: ${stranger.status}`)
const headers = { authorization: `Bearer ${process.env['CRON_SECRET'] ?? 'only for this example'}` }
for (const call of ['first', 'second']) {
  const response = await drain(new Request(`${site}/drain`, { method: 'POST', headers }))
  console.log(`The ${call} call of the scheduler: ${await response.text()}`)
}
console.log(`Sent: ${sent.toSorted().join(', ')}`)
await db.end()
