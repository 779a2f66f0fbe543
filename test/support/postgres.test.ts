import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Client } from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { endLeftovers, makeOwnFolder } from './postgres-leftovers.ts'
import { startPostgres } from './postgres.ts'

/** The number of a process that has ended. */
async function endedProcess(): Promise<{ pid: number }> {
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' })
  await once(child, 'exit')
  return { pid: child.pid ?? -1 }
}

test('takes connections over TCP and over its socket', async () => {
  const server = await startPostgres({ settings: { max_connections: 17 } })
  onTestFinished(() => server.remove())
  const { password } = new URL(server.url)
  const overSocket = { host: server.socketFolder, port: server.port, user: 'postgres', password }
  for (const config of [server.url, { ...overSocket, database: 'postgres' }]) {
    const client = new Client(config)
    await client.connect()
    const { rows } = await client.query(
      `select current_setting('max_connections') as most, current_setting('fsync') as fsync`,
    )
    expect(rows).toEqual([{ most: '17', fsync: 'on' }])
    await client.end()
  }
  await server.remove()
  expect(existsSync(server.dataFolder)).toBe(false)
})

test('a server that a killed run left is ended by the next run', async () => {
  const server = await startPostgres()
  const folder = path.dirname(server.dataFolder)
  const file = path.join(folder, 'owner.json')
  const owner = JSON.parse(readFileSync(file, 'utf8')) as object
  await endLeftovers()
  expect(server.pid).toBeDefined()

  writeFileSync(file, JSON.stringify({ ...owner, ...(await endedProcess()) }))
  await endLeftovers()
  expect(existsSync(folder)).toBe(false)
  await server.remove()
})

test('a process that is not the server of its folder is left alone', async () => {
  const folder = makeOwnFolder()
  const data = path.join(folder, 'data')
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], {
    stdio: 'ignore',
  })
  onTestFinished(() => void bystander.kill())
  const owner = JSON.parse(readFileSync(path.join(folder, 'owner.json'), 'utf8')) as object
  mkdirSync(data)
  // The number of a server that is long gone, which the system has given to somebody else since.
  writeFileSync(path.join(data, 'postmaster.pid'), `${bystander.pid}\n${data}\n`)

  // As long as the run lives, nobody touches its folder.
  await endLeftovers()
  expect(existsSync(folder)).toBe(true)
  // In another container's process table the numbers mean other processes.
  const elsewhere = { ...owner, ...(await endedProcess()), host: 'elsewhere' }
  writeFileSync(path.join(folder, 'owner.json'), JSON.stringify(elsewhere))
  await endLeftovers()
  expect(existsSync(folder)).toBe(true)

  const ended = { ...owner, ...(await endedProcess()) }
  writeFileSync(path.join(folder, 'owner.json'), JSON.stringify(ended))
  await endLeftovers()
  expect(existsSync(folder)).toBe(false)
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
})
