import { expect, test } from 'vitest'
import { useExamples } from './run-example.ts'

const examples = useExamples()

const PASSWORD = { DASHBOARD_PASSWORD: 'secret' }
const headers = { authorization: `Basic ${btoa('ada:secret')}`, 'content-type': 'application/json' }

test.each<[string, { isCalled: boolean; isPart?: boolean }]>([
  ['node-http', { isCalled: false }],
  ['express', { isCalled: false }],
  ['fastify', { isCalled: false }],
  ['hono', { isCalled: true }],
  ['next/app/admin/jobs/[[...path]]/route', { isCalled: true, isPart: true }],
])('%s mounts the dashboard', async (name, { isCalled, isPart = false }) => {
  await examples.migrate()
  const { url, stop } = await examples.serve(`dashboard/${name}`, { isCalled, env: PASSWORD })
  const ask = async (path: string, method = 'GET', body?: object) => {
    const init =
      body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
    const response = await fetch(new URL(path, url), init)
    return { status: response.status, answer: await response.json() }
  }
  expect(url).toMatch(/\/admin\/jobs\/$/)
  for (const address of [url, url.slice(0, -1), `${url}api/queues`]) {
    expect((await fetch(address)).status).toBe(401)
  }
  const made = await ask('api/queues/emails', 'PUT', { keepFinished: '7d' })
  expect(made).toMatchObject({ status: 200, answer: { name: 'emails' } })
  const jobs = [{ args: { to: 'ada@example.org' } }]
  const enqueued = await ask('api/queues/emails/jobs', 'POST', { jobs })
  expect(enqueued).toMatchObject({ status: 201, answer: { jobs } })
  expect(await ask('api/queues')).toMatchObject({ status: 200 })
  const { answer } = await ask('openapi.json')
  expect(JSON.stringify(answer)).toContain('"/admin/jobs')
  const changed = await ask('api/queues/emails/delete', 'POST', { all: true })
  expect(changed).toMatchObject({ answer: { changed: 1 } })
  const unknown = await ask('nothing')
  expect(unknown).toMatchObject({ status: 404, answer: { error: { code: 'NOT_FOUND' } } })
  for (const address of [url, url.slice(0, -1)]) {
    const page = await fetch(address, { headers: { ...headers, accept: 'text/html' } })
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('/assets/')])
  }
  const outside = await fetch(new URL('/', url))
  expect(await outside.text()).toBe(isPart ? '' : 'the application\n')
  const looking = await fetch(url, { headers: { ...headers, accept: 'text/event-stream' } })
  expect((await looking.body?.getReader().read())?.value).toBeDefined()
  expect(await stop()).toBe(0) // though somebody looks
})
