import * as fs from 'node:fs'
import * as path from 'node:path'
import { Client } from 'pg'
import { findPostgres } from './postgres-binaries.ts'
import { makeOwnFolder } from './postgres-leftovers.ts'
import { OwnServer, type PostgresServer } from './postgres.ts'
import { until } from './until.ts'

/** By this name the primary knows it. */
const NAME = 'standby'
/** What belongs to the running primary alone. WAL comes over the connection. */
const LEFT_OUT = new Set(['postmaster.pid', 'postmaster.opts', 'pg_wal', 'pg_replslot'])

/** A standby of another server. */
export interface StandbyServer extends PostgresServer {
  /** From now on nothing that the primary commits arrives. */
  fallBehind(): Promise<void>
  /** Makes a primary of it. Resolves once it takes writes. */
  promote(): Promise<void>
}

/**
 * Makes a standby of a running server by a base backup, and waits until it follows. With `isSynchronous` the primary
 * answers no commit from then on that the standby has not written.
 */
export async function startStandby(
  primary: PostgresServer,
  { isSynchronous }: { isSynchronous: boolean },
): Promise<StandbyServer> {
  const folder = makeOwnFolder()
  fs.chmodSync(folder, 0o711)
  const data = path.join(folder, 'data')
  const admin = new Client({ connectionString: primary.url })
  admin.on('error', () => {}) // the primary is going to be killed
  await admin.connect()
  await backUp(admin, primary.dataFolder, data)
  fs.mkdirSync(path.join(folder, 'socket'))
  giveToServer([data, path.join(folder, 'socket')])
  const { hostname, port, username, password } = new URL(primary.url)
  const server = new OwnServer(findPostgres(), folder, password, {
    primary_conninfo: `host=${hostname} port=${port} user=${username} password=${password} application_name=${NAME}`,
  })
  await server.startOnFreePort()
  if (isSynchronous) {
    await admin.query(`alter system set synchronous_standby_names = '${NAME}'`)
    await admin.query('select pg_reload_conf()')
  }
  await until(
    async () => {
      const state = isSynchronous ? 'sync' : 'async'
      const { rowCount } = await admin.query(
        `select from pg_stat_replication where state = 'streaming' and sync_state = $1`,
        [state],
      )
      return rowCount === 1
    },
    { what: 'a standby that follows' },
  )
  await admin.end()
  let stopped: number | undefined
  return Object.assign(server, {
    fallBehind: async () => void (stopped = await stopReceiving(server)),
    promote: () => promote(server, stopped),
  })
}

/** Freezes the process that receives the WAL. Answers its pid. */
async function stopReceiving(server: PostgresServer): Promise<number> {
  const client = new Client({ connectionString: server.url })
  await client.connect()
  const { rows } = await client.query<{ pid: number }>('select pid from pg_stat_wal_receiver')
  await client.end()
  const [{ pid } = { pid: undefined }] = rows
  if (pid === undefined) throw new Error('The standby does not follow.')
  process.kill(pid, 'SIGSTOP')
  return pid
}

/** A base backup, step by step: the programs that make one are not in the package that the tests use. */
async function backUp(admin: Client, from: string, to: string): Promise<void> {
  await admin.query(`select pg_backup_start('standby', true)`)
  copyFolder(from, to)
  for (const name of ['pg_wal', 'pg_replslot']) fs.mkdirSync(path.join(to, name))
  const { rows } = await admin.query<{ labelfile: string }>(
    'select labelfile from pg_backup_stop(false)',
  )
  fs.writeFileSync(path.join(to, 'backup_label'), rows[0]?.labelfile ?? '')
  fs.writeFileSync(path.join(to, 'standby.signal'), '')
}

/** Files come and go while the server runs; what is missing is no loss, the WAL has it. */
function copyFolder(from: string, to: string): void {
  fs.mkdirSync(to, { mode: 0o700 })
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    if (LEFT_OUT.has(entry.name)) continue
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)]
    if (entry.isDirectory()) {
      copyFolder(source, target)
      continue
    }
    try {
      fs.copyFileSync(source, target)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

function giveToServer(folders: readonly string[]): void {
  const { user } = findPostgres()
  if (user === undefined) return
  for (const folder of folders) {
    fs.chownSync(folder, user.uid, user.gid)
    for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }))
      fs.chownSync(path.join(folder, name), user.uid, user.gid)
  }
}

async function promote(server: PostgresServer, stopped: number | undefined): Promise<void> {
  if (stopped !== undefined) {
    process.kill(stopped, 'SIGTERM') // it ends before it reads what has come meanwhile
    process.kill(stopped, 'SIGCONT')
  }
  const client = new Client({ connectionString: server.url })
  await client.connect()
  await client.query('select pg_promote(true, 60)')
  await client.end()
}
