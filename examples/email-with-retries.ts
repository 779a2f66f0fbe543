/*
 * E-mail with retries: a provider that is busy is asked again with growing delays, an address that
 * does not exist is given up at once, and a password reset overtakes the newsletter.
 *
 *   DATABASE_URL=postgres://localhost/test node examples/email-with-retries.ts
 *
 * The provider is a stub at the end of this file, so that nothing leaves your machine.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { Discard, JobQueue, migrateUp, Querier } from 'millrace'

/** A template and who gets it: the text is made when the mail is sent, and the job stays small. */
interface Mail {
  to: string
  template: 'newsletter' | 'password-reset'
}

const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
await migrateUp(db)
const inbox: string[] = []
const provider = await startProvider()
const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/mails`

const quiet = { debug() {}, info() {}, warn() {}, error() {} } // the lines at the end say it all
const mails = new JobQueue<Mail>(
  db,
  async (job, { signal }) => {
    const response = await fetch(url, {
      method: 'POST',
      // The same in each run of the job: the provider drops a mail that it knows already.
      headers: { 'idempotency-key': job.id },
      body: JSON.stringify(job.args),
      signal, // aborts at the job's timeout, and when the process has to stop
    })
    if (response.ok) return
    const problem = `HTTP ${response.status}: ${await response.text()}`
    if (response.status === 422) throw new Discard(problem) // no retry will help
    throw new Error(problem) // again later
  },
  // In earnest without baseRetryDelay: the default waits 2 s, 4 s, 8 s and so on, up to an hour.
  { queueName: 'mails', dlq: 'mails-dead', baseRetryDelay: '20ms', logger: quiet },
)

const readers = ['ada@example.org', 'busy@example.org', 'nobody@example.org']
const newsletter = readers.map((to) => ({ to, template: 'newsletter' }) as const)
const patient = { maxRetries: 10, timeout: '30s' } as const // 10 retries take 34 minutes by default
const jobs = await mails.enqueueMany(newsletter.map((args) => ({ args, priority: 9, ...patient })))
jobs.push(
  await mails.enqueue({ to: 'eve@example.org', template: 'password-reset' }, { priority: 0 }),
)

// A worker process would receive until SIGTERM; this one until each mail has met its end.
const stop = new AbortController()
let ended = 0
mails.observe((event) => {
  if (event.type === 'job.finished' || event.type === 'job.dead_lettered') ended += 1
  if (ended === jobs.length) stop.abort()
})
await mails.receive({ signal: stop.signal, concurrency: 1 })

console.log(`Delivered: ${inbox.join(', ')}`)
const busy = await mails.get(jobs[1]?.id ?? '')
console.log(`To ${busy?.args.to}: ${busy?.status} at attempt ${busy?.attempt}`)
for (const letter of await new Querier(db).list<Mail>('mails-dead')) {
  console.log(`Dead letter to ${letter.args.to}: ${letter.errors.at(-1)?.message}`)
}
provider.close()
await db.end()

/** A provider that knows everybody but nobody@, and is too busy for busy@ twice. */
async function startProvider(): Promise<Server> {
  const known = new Set<unknown>()
  let timesBusy = 0
  const answer = (mail: Mail, key: unknown): [status: number, text: string] => {
    if (mail.to.startsWith('nobody@')) return [422, 'no such mailbox']
    if (mail.to.startsWith('busy@') && ++timesBusy <= 2) return [503, 'busy']
    if (!known.has(key)) inbox.push(`${mail.template} to ${mail.to}`)
    known.add(key)
    return [202, 'accepted']
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const [status, text] = answer(JSON.parse(body) as Mail, request.headers['idempotency-key'])
      response.writeHead(status, { connection: 'close' }).end(text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
