// A process of its own for the tests of the embedded database. What it does is its first argument.
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lockDirectory } from '../../../dist/embedded/directory-lock.js'
import { openEmbedded } from '../../../dist/embedded/index.js'

const [task, directory] = process.argv.slice(2)

/** Writes rows until it is killed, telling of each. */
async function write() {
  const db = await openEmbedded(directory)
  process.send({ opened: process.pid })
  await db.query('create table if not exists written (n int4 primary key)')
  for (let n = 1; ; n += 1) {
    await db.query('insert into written values ($1)', [n])
    process.send({ written: n })
  }
}

/** Comes to its end without closing anything. */
async function leave() {
  await openEmbedded(directory)
  process.disconnect()
}

/** Takes and leaves the lock for three seconds, and cries when somebody else is inside too. */
async function contend() {
  let taken = 0
  for (const endsAt = Date.now() + 3_000; Date.now() < endsAt;) {
    const lock = await lockDirectory(directory).catch(refused)
    if (lock === undefined) continue
    taken += 1
    enter()
    process.send({ inside: true })
    await sleep(Math.random() * 10)
    unlinkSync(path.join(directory, 'inside'))
    await lock.release()
  }
  process.send({ taken })
  process.disconnect()
}

/** @param {unknown} error */
function refused(error) {
  if (!(error instanceof Error) || !error.message.includes('is open in')) throw error
  return undefined
}

/** Alone inside? A file of a process that was killed in there does not count. */
function enter() {
  const file = path.join(directory, 'inside')
  try {
    writeFileSync(file, `${process.pid}`, { flag: 'wx' })
  } catch {
    const other = Number(readFileSync(file, 'utf8'))
    if (isAlive(other)) process.send({ trespasser: other })
    writeFileSync(file, `${process.pid}`)
  }
}

/** A killed process that its parent has not buried yet (state Z) is in nobody's way. */
function isAlive(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z')
  } catch {
    return false
  }
}

if (task === 'write') await write()
if (task === 'leave') await leave()
if (task === 'contend') await contend()
