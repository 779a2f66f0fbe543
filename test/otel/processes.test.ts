import type { OpenTelemetryOptions } from '../../src/otel/index.ts'
import { expect, test, type Children } from '../support/fixtures.ts'

interface Span {
  name: string
  traceId: string
  spanId: string
  parentId?: string
  links: string[]
}

interface Told {
  metadata?: Record<string, unknown>
  result?: unknown
  spans: Span[]
}

interface Setting {
  databaseUrl: string
  schema: string
  options?: OpenTelemetryOptions
  hasSdk: boolean
}

/** Lets a process of its own do this, and end by itself. */
async function letProcess(child: Children, does: string, setting: Setting): Promise<Told> {
  const other = child.run('traced.mjs')
  await other.call('open', setting)
  const told = (await other.call(does)) as Told
  await other.call('leave')
  expect(await other.exited).toMatchObject({ code: 0 })
  expect(other.output).toBe('')
  return told
}

test.for(['link', 'parent'] as const)(
  'one process enqueues, another runs: a %s',
  async (relation, { child, databaseUrl, schema }) => {
    const setting = { databaseUrl, schema, options: { relation }, hasSdk: true }
    const { metadata, spans: sent } = await letProcess(child, 'enqueue', setting)
    const { result, spans: ran } = await letProcess(child, 'drain', setting)
    expect(result).toEqual({ finished: 1, failed: 0, retried: 0 })
    expect(sent.map(({ name }) => name)).toEqual(['send default'])
    expect(ran.map(({ name }) => name)).toEqual(['work', 'process default'])
    const [[send], [work, run]] = [sent, ran] as [[Span], [Span, Span]]
    expect(metadata).toEqual({ traceparent: `00-${send.traceId}-${send.spanId}-01` })
    expect(run.links).toEqual([`${send.traceId} ${send.spanId}`])
    expect(run.parentId).toBe(relation === 'parent' ? send.spanId : undefined)
    expect(run.traceId === send.traceId).toBe(relation === 'parent')
    expect(work).toMatchObject({ traceId: run.traceId, parentId: run.spanId })
  },
)

test('without an SDK it does nothing, and jobs run', async ({ child, databaseUrl, schema }) => {
  const setting = { databaseUrl, schema, hasSdk: false }
  const sent = await letProcess(child, 'enqueue', setting)
  expect(sent).toEqual({ metadata: {}, spans: [] })
  const ran = await letProcess(child, 'drain', setting)
  expect(ran).toEqual({ result: { finished: 1, failed: 0, retried: 0 }, spans: [] })
})

test('a run whose job carries no context has a span without a link', async ({
  child,
  databaseUrl,
  schema,
}) => {
  await letProcess(child, 'enqueue', { databaseUrl, schema, hasSdk: false })
  const { spans } = await letProcess(child, 'drain', { databaseUrl, schema, hasSdk: true })
  expect(spans.map(({ name, links }) => [name, links])).toEqual([
    ['work', []],
    ['process default', []],
  ])
})
