import { expect } from 'vitest'
import { test } from '../support/fixtures.ts'
import { adminApi } from './arrange.ts'

/*
 * A proxy ends TLS for https://jobs.example.org, and asks the process that listens on 10.0.0.7:4000. What a browser sent
 * arrives as it was, but for Host, which is up to the proxy: nginx writes the inner address unless it is told otherwise.
 */

const INNER = '10.0.0.7:4000'
const origin = 'https://jobs.example.org'
const forwarded = {
  'x-forwarded-host': 'jobs.example.org',
  'x-forwarded-proto': 'https',
  forwarded: 'host=jobs.example.org;proto=https',
}

test.for([
  [
    'a browser since 2023, whatever the proxy does',
    { host: INNER, 'sec-fetch-site': 'same-origin' },
    200,
  ],
  ['Host passed on', { host: 'jobs.example.org' }, 200],
  ['Host passed on, in capitals', { host: 'Jobs.Example.Org' }, 200],
  ['Host passed on, with the port that goes without saying', { host: 'jobs.example.org:443' }, 200],
  ['Host passed on, with another port', { host: 'jobs.example.org:8443' }, 403],
  ['Host written anew', { host: INNER }, 403],
  [
    'Host written anew and told elsewhere, which anybody can do',
    { host: INNER, ...forwarded },
    403,
  ],
  ['Host that is none', { host: 'not a host' }, 403],
] as const)('an origin at a proxy: %s', async ([, headers, status], { db, schema }) => {
  const api = adminApi(db, schema)
  const { status: answered, body } = await api('PUT', '/api/queues/a', {}, { origin, ...headers })
  expect(answered).toBe(status)
  const remedy = body.error?.remedy ?? ''
  expect(remedy.includes('must pass on the header Host')).toBe(status === 403)
})

test('a page of another origin stays one, whatever the proxy says of it', async ({
  db,
  schema,
}) => {
  const api = adminApi(db, schema)
  for (const headers of [
    { origin: 'https://evil.example', ...forwarded, 'x-forwarded-host': 'evil.example' },
    { origin, ...forwarded, 'sec-fetch-site': 'cross-site' },
    { origin: 'null', ...forwarded },
  ]) {
    const { body } = await api('PUT', '/api/queues/a', {}, { host: 'jobs.example.org', ...headers })
    expect(body.error.code).toBe('CROSS_ORIGIN')
  }
})

test('`hosts` are the names that the process sees', async ({ db, schema }) => {
  const api = adminApi(db, schema, { hosts: ['jobs.example.org'] })
  const ask = async (headers: Record<string, string>) =>
    (await api('GET', '/api/queues', undefined, headers)).status
  expect(await ask({ host: 'jobs.example.org:443' })).toBe(200)
  expect(await ask({ host: INNER })).toBe(403)
  expect(await ask({ host: INNER, ...forwarded })).toBe(403)
})
