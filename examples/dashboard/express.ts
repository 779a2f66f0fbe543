/*
 * The dashboard at /admin/jobs of an Express application.
 *
 *   DATABASE_URL=postgres://localhost/test DASHBOARD_PASSWORD=secret node examples/dashboard/express.ts
 */
import express from 'express'
import pg from 'pg'
import { basicAuth, createDashboard, toNodeListener } from 'millrace/dashboard'

const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
const dashboard = createDashboard(db, {
  basePath: '/admin/jobs', // the whole path, though Express takes it off the addresses that it hands on
  auth: basicAuth({ ada: { password: process.env['DASHBOARD_PASSWORD'] ?? '', role: 'admin' } }),
})

const app = express()
// Before `express.json()`, which ends at 100 kB; behind it works too, by what it leaves in `request.body`.
app.use('/admin/jobs', toNodeListener(dashboard))
app.use(express.json())
app.get('/', (_request, response) => {
  response.send('the application\n')
})

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  console.log(`http://127.0.0.1:${port}/admin/jobs/`)
})
process.once('SIGTERM', () => server.close(() => void db.end()))
