import { randomBytes, randomInt } from 'node:crypto'
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../core/errors.ts'
import { isAlive, type ProcessIdentity, thisProcess } from './process-identity.ts'

/**
 * The lock on the directory of an embedded database.
 *
 * Two processes on one directory lose committed rows without an error, so the lock must hold when two
 * start at once, and must not hold once its owner is dead. A lock file that whoever finds it stale replaces
 * can't do both: between the judgement and the replacement another may have replaced it already. So nobody
 * replaces anything. Everybody who wants the directory first writes a claim, a file of a name of its own, and then
 * looks for the claims of others. Whoever finds a living one withdraws. Of two who come at once, at least one sees
 * the other; should both withdraw, they try again after waits of different lengths. The claims of the
 * dead mean nothing, and can be removed by anybody at any time, as no living process will ever use their names.
 *
 * A claim from another container or machine cannot be judged by its process number. Its owner touches it
 * every 2 s; one that is not touched for 10 s is taken to be dead.
 */

const ATTEMPTS = 6
/** An untouched claim so old needs no watching. Much more than the clocks of two machines differ. */
const OLD_MS = 120_000

/** How often a claim is touched, and without a touch for how long it is taken for dead. Tests choose shorter ones. */
const TIMES = { touchEveryMs: 2_000, deadAfterMs: 10_000 }

const CLAIM = /^millrace-(\d+)-[0-9a-f]+\.lock$/

/** A directory that is ours until `release`, or until this process ends. */
export interface DirectoryLock {
  /** Lets the directory go. Never rejects; may be called again. */
  release(): Promise<void>
}

/** Takes the directory, or rejects with `EMBEDDED_IN_USE` and the owner's pid. */
export async function lockDirectory(directory: string, times = TIMES): Promise<DirectoryLock> {
  for (let attempt = 1; ; attempt += 1) {
    const claim = await announce(directory, times.touchEveryMs)
    const rival = await findRival(directory, claim.file, times.deadAfterMs).catch(
      async (error: unknown) => {
        await claim.release()
        throw error
      },
    )
    if (rival === undefined) return claim
    await claim.release()
    if (attempt === ATTEMPTS) throw inUse(directory, rival)
    await sleep(randomInt(20, 120))
  }
}

async function announce(
  directory: string,
  touchEveryMs: number,
): Promise<DirectoryLock & { file: string }> {
  const name = `millrace-${process.pid}-${randomBytes(6).toString('hex')}.lock`
  const file = path.join(directory, name)
  const identity = { ...thisProcess(), since: new Date().toISOString() }
  // Renamed when it is whole, so that nobody reads half of it.
  await writeFile(`${file}.tmp`, `${JSON.stringify(identity)}\n`, { flag: 'wx' })
  await rename(`${file}.tmp`, file)
  const touching = setInterval(() => {
    const now = new Date()
    utimes(file, now, now).catch(() => {}) // whoever removed the file by hand wanted it gone
  }, touchEveryMs)
  touching.unref()
  const release = async (): Promise<void> => {
    clearInterval(touching)
    await rm(file, { force: true }).catch(() => {}) // what stays is the claim of a dead process soon
  }
  return { file, release }
}

/** Somebody else who lives and claims the directory. Removes the claims of the dead. */
async function findRival(
  directory: string,
  own: string,
  deadAfterMs: number,
): Promise<ProcessIdentity | undefined> {
  for (const name of await readdir(directory)) {
    const pid = CLAIM.exec(name)?.[1]
    const file = path.join(directory, name)
    if (pid === undefined || file === own) continue
    const identity = await readClaim(file, Number(pid))
    if (identity === undefined) continue
    if (await isHeld(file, identity, deadAfterMs)) return identity
    await rm(file, { force: true })
  }
  return undefined
}

/** What a claim says; of one that cannot be read, what its name says. Undefined when it is gone. */
async function readClaim(file: string, pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const { startedAt, place } = JSON.parse(await readFile(file, 'utf8')) as ProcessIdentity
    return { pid, startedAt, place }
  } catch (error) {
    if (isGone(error)) return undefined
    return { pid, startedAt: null, place: 'unknown' }
  }
}

async function isHeld(
  file: string,
  identity: ProcessIdentity,
  deadAfterMs: number,
): Promise<boolean> {
  const known = isAlive(identity)
  return known === 'unknown' ? isTouched(file, deadAfterMs) : known
}

/** Watches a claim that cannot be judged otherwise. */
async function isTouched(file: string, deadAfterMs: number): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(file)
    if (Date.now() - mtimeMs > OLD_MS) return false
    for (let look = 0; look < 40; look += 1) {
      await sleep(deadAfterMs / 40)
      if ((await stat(file)).mtimeMs !== mtimeMs) return true
    }
    return false
  } catch (error) {
    if (isGone(error)) return false
    throw error
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function inUse(directory: string, { pid }: ProcessIdentity): MillraceError {
  const who = pid === process.pid ? `this process (${pid})` : `process ${pid}`
  return new MillraceError(
    'EMBEDDED_IN_USE',
    { directory, pid },
    {
      message: `The embedded database in ${directory} is open in ${who}, and a directory belongs to one opening at a time. Close it there first, or use another directory.`,
    },
  )
}
