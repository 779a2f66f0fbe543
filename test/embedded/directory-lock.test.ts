import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { lockDirectory } from '../../src/embedded/directory-lock.ts'
import { type ProcessIdentity, thisProcess } from '../../src/embedded/process-identity.ts'
import { failureOf } from '../drivers/failure.ts'

const folders: string[] = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

function newFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-lock-'))
  folders.push(folder)
  return folder
}

/** Leaves a claim as a process of that identity would have. */
function claim(folder: string, identity: ProcessIdentity | string, pid = 4_000_000): string {
  const file = path.join(folder, `millrace-${pid}-0123456789ab.lock`)
  writeFileSync(file, typeof identity === 'string' ? identity : JSON.stringify(identity))
  return file
}

const times = { touchEveryMs: 50, deadAfterMs: 300 }

test('of many processes at once one holds the lock, also while holders are killed', async () => {
  const folder = newFolder()
  const trespassers: unknown[] = []
  const taken: number[] = []
  const contend = async (dies: boolean): Promise<void> => {
    const child = fork(path.join(import.meta.dirname, '../support/children/embedded.mjs'), [
      'contend',
      folder,
    ])
    child.on('message', (message: { trespasser?: number; taken?: number; inside?: true }) => {
      if (message.trespasser !== undefined) trespassers.push(message)
      if (message.taken !== undefined) taken.push(message.taken)
      if (message.inside === true && dies) child.kill('SIGKILL')
    })
    await once(child, 'exit')
  }
  await Promise.all([true, true, true, false, false, false].map(contend))
  expect(trespassers).toEqual([])
  expect(taken).toHaveLength(3)
  expect(taken.reduce((sum, one) => sum + one)).toBeGreaterThan(10)
  expect(readdirSync(folder).filter((name) => name.endsWith('.lock'))).toEqual([])
})

test('a claim means nothing once its process is gone, or its number is somebody else’s', async () => {
  const folder = newFolder()
  claim(folder, { ...thisProcess(), pid: 4_000_000 })
  claim(folder, { ...thisProcess(), startedAt: '1' }, process.pid)
  const lock = await lockDirectory(folder)
  expect(readdirSync(folder)).toHaveLength(1)
  await lock.release()
  await lock.release()
  expect(readdirSync(folder)).toEqual([])
})

test('a claim of this very process holds', async () => {
  const folder = newFolder()
  claim(folder, thisProcess(), process.pid)
  expect(await failureOf(lockDirectory(folder))).toMatchObject({ code: 'EMBEDDED_IN_USE' })
  expect(readdirSync(folder)).toHaveLength(1)
})

test('a claim from another machine or container holds while it is touched', async () => {
  const folder = newFolder()
  const file = claim(folder, { pid: 1, startedAt: '1', place: 'elsewhere' }, 1)
  const touching = setInterval(() => utimesSync(file, new Date(), new Date()), times.touchEveryMs)
  const error = await failureOf(lockDirectory(folder, times))
  clearInterval(touching)
  expect(error).toMatchObject({ code: 'EMBEDDED_IN_USE', details: { pid: 1 } })
  await (await lockDirectory(folder, times)).release()
  expect(readdirSync(folder)).toEqual([])
})

test('an old claim from elsewhere, or one that nobody can read, is not watched for long', async () => {
  const folder = newFolder()
  const file = claim(folder, 'not JSON')
  utimesSync(file, new Date(0), new Date(0))
  const startedAt = performance.now()
  const lock = await lockDirectory(folder)
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  await lock.release()
})

test('the owner touches its claim', async () => {
  const folder = newFolder()
  const lock = await lockDirectory(folder, times)
  const [name = ''] = readdirSync(folder)
  utimesSync(path.join(folder, name), new Date(0), new Date(0))
  await sleep(times.touchEveryMs * 4)
  const elsewhere = await failureOf(lockDirectory(folder, times))
  expect(elsewhere).toMatchObject({ code: 'EMBEDDED_IN_USE' })
  await lock.release()
})
