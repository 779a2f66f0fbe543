/*
 * The dashboard at /admin/jobs of a Fastify application.
 *
 *   DATABASE_URL=postgres://localhost/test DASHBOARD_PASSWORD=secret node examples/dashboard/fastify.ts
 */
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import pg from 'pg'
import { basicAuth, createDashboard, toNodeListener } from 'millrace/dashboard'

const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
const dashboard = toNodeListener(
  createDashboard(db, {
    basePath: '/admin/jobs',
    auth: basicAuth({ ada: { password: process.env['DASHBOARD_PASSWORD'] ?? '', role: 'admin' } }),
  }),
)

const app = fastify()
// In a scope of its own, whose bodies nobody reads before the dashboard does.
await app.register(async (scope) => {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null))
  const handOver = (request: FastifyRequest, reply: FastifyReply): void => {
    reply.hijack()
    dashboard(request.raw, reply.raw)
  }
  scope.all('/admin/jobs', handOver)
  scope.all('/admin/jobs/*', handOver)
})
app.get('/', () => 'the application\n')
app.addHook('onClose', () => db.end())

const address = await app.listen({ port: Number(process.env['PORT'] ?? 3000), host: '127.0.0.1' })
console.log(`${address}/admin/jobs/`)
process.once('SIGTERM', () => void app.close())
