/*
 * The JSON API beside an application: one server of node:http answers for both, people of the
 * company come in with their session, and a program in another language enqueues by HTTP.
 *
 *   DATABASE_URL=postgres://localhost/test node examples/http-api.ts
 *
 * What there is to ask for is in docs/http-api.md, and at /jobs/openapi.json while it runs.
 */
import { createServer } from 'node:http'
import pg from 'pg'
import { JobQueue, migrateUp } from 'millrace'
import { createDashboard, toNodeListener, type Identity } from 'millrace/dashboard'

interface Email {
  to: string
  card?: string
}

const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
await migrateUp(db)
const emails = new JobQueue<Email>(
  db,
  async ({ args }) => {
    if (args.to === 'nobody@example.org') throw new Error('no such mailbox')
    await Promise.resolve() // the mail provider
  },
  { queueName: 'api-emails', logger: { debug() {}, info() {}, warn() {}, error() {} } },
)

/** In earnest the session of your application says who is asking. */
const sessions = new Map<string, Identity>([
  ['session-of-ada', { name: 'ada', role: 'admin' }],
  ['token-of-the-shop', { name: 'shop', role: 'operator' }],
])

const dashboard = toNodeListener(
  createDashboard(db, {
    auth: (request) => sessions.get(request.headers.get('x-session') ?? '') ?? null,
    basePath: '/jobs',
    redact: ['args.card'],
  }),
)
const server = createServer((request, response) => {
  if (request.url?.startsWith('/jobs/') === true) dashboard(request, response)
  else response.end('the application\n')
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const address = server.address()
const port = typeof address === 'object' ? address?.port : undefined

/** As any program would, in any language. */
async function ask(session: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/jobs/api${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'x-session': session, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return response.json()
}

await emails.enqueue({ to: 'ada@example.org' }) // makes the queue
const jobs = [
  { args: { to: 'eve@example.org', card: '4111' } },
  { args: { to: 'nobody@example.org' }, maxRetries: 0 },
]
const enqueued = (await ask('token-of-the-shop', '/queues/api-emails/jobs', { jobs })) as {
  jobs: { args: unknown }[]
}
console.log('Enqueued:', JSON.stringify(enqueued.jobs.map(({ args }) => args)))
await emails.drain()

const failed = (await ask('session-of-ada', '/queues/api-emails/jobs?status=failed')) as {
  jobs: { lastError: { message: string } }[]
}
console.log('Failed:', failed.jobs.map(({ lastError }) => lastError.message).join())
const refused = (await ask('token-of-the-shop', '/queues/api-emails/delete', { all: true })) as {
  error: { code: string; message: string }
}
console.log(`${refused.error.code}: ${refused.error.message}`)
const retried = (await ask('session-of-ada', '/queues/api-emails/retry', { status: 'failed' })) as {
  changed: number
}
console.log('Retried:', retried.changed)
const audit = (await ask('session-of-ada', '/audit?limit=3')) as {
  entries: { actor: string; action: string; outcome: string }[]
}
for (const { actor, action, outcome } of audit.entries.toReversed()) {
  console.log(`${actor} ${action}: ${outcome}`)
}
server.close()
await db.end()
