/*
 * The dashboard at /admin/jobs, on plain node:http, beside an application.
 *
 *   DATABASE_URL=postgres://localhost/test DASHBOARD_PASSWORD=secret node examples/dashboard/node-http.ts
 */
import { createServer } from 'node:http'
import pg from 'pg'
import { basicAuth, createDashboard, toNodeListener } from 'millrace/dashboard'

const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
const dashboard = toNodeListener(
  createDashboard(db, {
    basePath: '/admin/jobs',
    auth: basicAuth({ ada: { password: process.env['DASHBOARD_PASSWORD'] ?? '', role: 'admin' } }),
  }),
)

const server = createServer((request, response) => {
  if (/^\/admin\/jobs([/?]|$)/.test(request.url ?? '')) dashboard(request, response)
  else response.end('the application\n')
})

server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  console.log(`http://127.0.0.1:${port}/admin/jobs/`)
})
process.once('SIGTERM', () => server.close(() => void db.end()))
