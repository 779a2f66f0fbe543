/*
 * Serves an example that exports what somebody's server calls: an `app` with `fetch`, or the handlers GET, POST … of a
 * route of Next.js, which gets the whole address and the path's parameters.
 *
 *   node serve-exports.mjs <module>
 */
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'
import { toNodeListener } from 'millrace/dashboard'

const example = await import(pathToFileURL(process.argv[2]).href)

async function fetch(request) {
  if (example.app !== undefined) return example.app.fetch(request)
  const [, below] = new URL(request.url).pathname.split('/admin/jobs')
  const handle = example[request.method]
  if (below === undefined || handle === undefined) return new Response(null, { status: 404 })
  const path = below.split('/').filter((part) => part !== '')
  return handle(request, { params: Promise.resolve({ path }) })
}

const server = createServer(toNodeListener({ fetch }))
server.listen(Number(process.env.PORT), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/admin/jobs/`)
})
process.once('SIGTERM', () => process.exit(0))
