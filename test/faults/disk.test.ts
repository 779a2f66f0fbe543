import { execFileSync } from 'node:child_process'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { testOnOwnServer } from '../support/fixtures.ts'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { testFault } from './fault-test.ts'
import { underLoad } from './under-load.ts'

const DISK_BYTES = 300 * 1024 * 1024
const BALLAST = 'ballast'

/** Whether this process may mount a file system; a normal user may not. */
function missingRight(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'only root can mount a small disk'
  try {
    execFileSync('mount', ['--version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'there is no mount here'
  }
}

/** As `testOnOwnServer`, with all of the server's data on a disk of 300 MB. */
const testOnSmallDisk = testOnOwnServer.extend<{ server: PostgresServer }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest wants a pattern to see what a fixture needs
  server: async ({}, use) => {
    let disk = ''
    const server = await startPostgres({
      settings: { max_wal_size: '48MB', min_wal_size: '32MB', shared_buffers: '16MB' },
      prepareDataFolder: (folder) => {
        disk = folder
        execFileSync('mount', [
          '-t',
          'tmpfs',
          '-o',
          `size=${DISK_BYTES},mode=0700`,
          'tmpfs',
          folder,
        ])
      },
    })
    try {
      await use(server)
    } finally {
      await server.stop('immediate')
      execFileSync('umount', [disk])
      await server.remove()
    }
  },
})

/** Takes what is left of the disk. */
function fill(folder: string): void {
  const { bavail, bsize } = statfsSync(folder)
  const left = Math.max(0, bavail * bsize)
  const chunk = Buffer.alloc(1024 * 1024, 1)
  try {
    for (let written = 0; written < left; written += chunk.length)
      writeFileSync(path.join(folder, BALLAST), chunk, { flag: 'a' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

/** Brings the server back if the full disk has ended it, as an operator does. */
async function revive(server: PostgresServer): Promise<void> {
  await until(
    async () => {
      try {
        await server.start()
        return true
      } catch {
        return false
      }
    },
    { what: 'the server', withinMs: 60_000 },
  )
}

testFault(
  {
    title: 'The database’s disk is full, and freed again',
    promise:
      'What cannot be stored is refused to whoever enqueues; what ran is written down as soon as there is room. PostgreSQL itself may crash over it, and recovers.',
    full: { jobs: 5_000, faults: 5 },
    short: { jobs: 300, faults: 1 },
    missing: missingRight(),
  },
  async (stage, amount) => {
    await stage.hire(3, { leaseTimeout: '10s' })
    const { dataFolder } = stage.server
    await underLoad(stage, amount, async () => {
      const refused = stage.refused.length
      await until(
        () => {
          fill(dataFolder) // the server tidies up behind us
          return stage.refused.length > refused + 20
        },
        { what: 'enqueues that are refused', withinMs: 60_000 },
      )
      rmSync(path.join(dataFolder, BALLAST))
      await revive(stage.server)
    })
  },
  testOnSmallDisk,
)
