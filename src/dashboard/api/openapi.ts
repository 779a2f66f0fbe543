import { version } from '../../version.ts'
import { resolve, type Schema } from '../schema.ts'
import type { Route } from '../route.ts'
import { SHAPES } from './shapes.ts'

/** What OpenAPI calls the statuses that every address can answer. */
const FAILURES: readonly (readonly [number, string])[] = [
  [400, 'The request is not as it is described; `field` names what is wrong.'],
  [401, 'Nobody knows who is asking.'],
  [403, 'The role may not do this, or a page of another origin sent it.'],
  [404, 'There is no such queue or job.'],
  [409, 'It is in a state in which this cannot be done.'],
  [413, 'The body is too large.'],
  [415, 'The body is not said to be JSON.'],
  [500, 'Something went wrong; the log has it under `id`.'],
  [503, 'The database cannot be reached, took too long, or has no schema for this release.'],
]

/** The OpenAPI 3.1 document of these routes, made of the descriptions by which requests are checked. */
export function describeApi(routes: readonly Route[], basePath: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version,
      description:
        'Lists, counts, pauses and steers queues and jobs, enqueues, and answers logs, statistics and metrics. ' +
        'Ids are texts, instants ISO 8601 in UTC. Shapes only grow: pass over fields that you do not know.',
    },
    servers: [{ url: basePath === '' ? '/' : basePath }],
    security: [{ basic: [] }, {}],
    paths,
    components: {
      schemas: SHAPES,
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic', description: 'Or as whoever serves it decides.' },
      },
    },
  }
}

function operationOf(route: Route): object {
  const { id, summary, role, body, answer, contentType, status = 200, about } = route
  return {
    operationId: id,
    summary,
    description: `For the role ${role}.${about === undefined ? '' : ' Written into the audit.'}`,
    tags: [tagOf(route)],
    parameters: parametersOf(route),
    ...(body === undefined
      ? {}
      : { requestBody: { required: (body.required?.length ?? 0) > 0, content: json(body) } }),
    responses: {
      [status]: {
        description: resolveDescription(answer),
        content: contentOf(answer, contentType),
      },
      ...Object.fromEntries(
        FAILURES.map(([code, description]) => [
          code,
          { description, content: json({ $ref: '#/components/schemas/Error' }) },
        ]),
      ),
    },
  }
}

function tagOf({ path }: Route): string {
  return path.replace(/^\/(api\/)?/, '').split('/')[0] ?? ''
}

function parametersOf({ path, query = {} }: Route): object[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const inQuery = Object.entries(query).map(([name, schema]) => {
    const { description, ...others } = schema
    const isJson = schema.type === 'object'
    return {
      name,
      in: 'query',
      ...(description === undefined ? {} : { description }),
      ...(isJson ? { content: json(others) } : { schema: others }),
    }
  })
  return [...inPath, ...inQuery]
}

function resolveDescription(answer: Schema): string {
  const { description = 'Done.' } = answer.$ref === undefined ? answer : resolve(answer, SHAPES)
  return description
}

function json(schema: Schema): object {
  return contentOf(schema, 'application/json')
}

/** Under the media type alone, without what may stand behind it. */
function contentOf(schema: Schema, contentType = 'application/json'): object {
  return { [contentType.replace(/;.*/, '')]: { schema } }
}
