/*
 * The dashboard at /admin/jobs of a Hono application. Serve it as everywhere: with @hono/node-server
 * `serve(app)`, with Bun `export default app`, with Deno `Deno.serve(app.fetch)`.
 *
 * It reads DATABASE_URL and DASHBOARD_PASSWORD.
 */
import { Hono } from 'hono'
import pg from 'pg'
import { basicAuth, createDashboard } from 'millrace/dashboard'

const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
const dashboard = createDashboard(db, {
  basePath: '/admin/jobs',
  auth: basicAuth({ ada: { password: process.env['DASHBOARD_PASSWORD'] ?? '', role: 'admin' } }),
})

export const app = new Hono()
// Not by `app.mount`, which takes the path off the addresses. This is `/admin/jobs` itself, too.
app.all('/admin/jobs/*', (context) => dashboard.fetch(context.req.raw))
app.get('/', (context) => context.text('the application\n'))
