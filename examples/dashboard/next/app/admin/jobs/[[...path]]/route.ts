/*
 * The dashboard at /admin/jobs of a Next.js application, as the route handler
 * app/admin/jobs/[[...path]]/route.ts. The package must stay outside the bundle: next.config.ts says
 * `serverExternalPackages: ['millrace']`.
 *
 * It reads DATABASE_URL and DASHBOARD_PASSWORD.
 */
import pg from 'pg'
import { basicAuth, createDashboard, type Dashboard } from 'millrace/dashboard'

export const runtime = 'nodejs' // an edge runtime has no TCP connections
export const dynamic = 'force-dynamic'

let dashboard: Dashboard | undefined

/** Opened by the first request: `next build` loads this file where no password is known. */
function handle(request: Request): Promise<Response> {
  dashboard ??= createDashboard(new pg.Pool({ connectionString: process.env['DATABASE_URL'] }), {
    basePath: '/admin/jobs',
    auth: basicAuth({ ada: { password: process.env['DASHBOARD_PASSWORD'] ?? '', role: 'admin' } }),
  })
  return dashboard.fetch(request)
}

export {
  handle as GET,
  handle as HEAD,
  handle as POST,
  handle as PUT,
  handle as PATCH,
  handle as DELETE,
}
