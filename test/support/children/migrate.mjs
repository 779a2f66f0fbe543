// Connects, says so, and migrates as soon as the parent says that everybody is there.
import { once } from 'node:events'
import { Pool } from 'pg'
import { migrateUp } from '../../../dist/migrations/migrate.js'

const [url, schema] = process.argv.slice(2)

async function run() {
  const pool = new Pool({ connectionString: url, max: 2 })
  await pool.query('select 1')
  process.send('ready')
  await once(process, 'message')
  const { steps } = await migrateUp(pool, { schema })
  process.send({ steps: steps.length })
  await pool.end()
  process.disconnect()
}

await run()
