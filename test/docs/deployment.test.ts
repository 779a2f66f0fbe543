import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { Child } from '../support/child-process.ts'
import { testOnOwnServer as test } from '../support/fixtures.ts'
import { until } from '../support/until.ts'
import { compilePages, type Programs } from './programs.ts'

/* The worker of docs/deployment.md never ends by itself: here it is seen to live and to stop. */

const page = 'docs/deployment.md'
let programs: Programs

beforeAll(async () => {
  programs = await compilePages([page])
})

afterAll(() => programs.remove())

test('the worker on the page works, says how it is, and ends well at SIGTERM', async ({
  server,
}) => {
  const env = { DATABASE_URL: server.url, PORT: String(await freePort()) }
  const run = (file: string, args: string[] = []): Child =>
    new Child(path.join(programs.folderOf(page), file), { env, args })
  expect(await run('migrate.js').exited).toEqual({ code: 0, signal: null })
  const worker = run('worker.js')
  const ask = async (path: string): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${env.PORT}${path}`)
    return [response.status, await response.text()]
  }
  try {
    const isReady = async (): Promise<boolean> => (await ask('/ready').catch(() => [0]))[0] === 200
    await until(isReady, { what: `the worker to be ready (${worker.output})` })
    expect(await ask('/live')).toEqual([200, 'working\n'])
    await server.stop()
    const isWaiting = async (): Promise<boolean> => (await ask('/ready'))[0] === 503
    await until(isWaiting, { what: 'the worker to notice the outage' })
    expect(await ask('/live')).toEqual([200, 'waiting for the database\n'])
    await server.start()
    await until(isReady, { what: 'the worker to be ready again' })
    worker.kill('SIGTERM')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
  } finally {
    await worker.end()
  }
})

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
