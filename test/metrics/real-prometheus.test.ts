import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, vi } from 'vitest'
import { Millrace } from '../cli/millrace.ts'
import { expect, test as base, until } from '../support/fixtures.ts'
import { findProgram } from '../support/programs.ts'
import { startPrometheus, type Prometheus } from '../support/prometheus.ts'

/*
 * The rules and the board in docs/monitoring, read by Prometheus itself, which scrapes `millrace dashboard` of a database
 * in trouble. promtool (test/docs/monitoring.test.ts) has the limits and the waiting; here it is real metrics that
 * have to fit.
 */

// Prometheus has to have scraped a counter before it grows, and after.
vi.setConfig({ testTimeout: 120_000 })

const isMissing = findProgram('prometheus') === undefined
if (isMissing) {
  console.warn('Skipped: prometheus is not installed (Debian: apt-get install prometheus).')
}

const folder = path.resolve(import.meta.dirname, '../../docs/monitoring')
const rules = readFileSync(path.join(folder, 'alerts.yml'), 'utf8')
/** Nobody waits for an hour in a test. */
const impatient = rules.replaceAll(/for: \w+/g, 'for: 0s')
const board = JSON.parse(readFileSync(path.join(folder, 'grafana.json'), 'utf8')) as {
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[]
}

const test = base.extend<{ dashboard: Millrace; prometheus: Prometheus }>({
  dashboard: async ({ schema }, use) => {
    const dashboard = new Millrace(['dashboard', '--port', '0', '--json'], { schema })
    await until(() => dashboard.stdout.includes('}'), { what: 'the address', withinMs: 60_000 })
    await use(dashboard)
    await dashboard.kill('SIGKILL')
  },
  prometheus: async ({ dashboard }, use) => {
    const { url } = JSON.parse(dashboard.stdout) as { url: string }
    const prometheus = await startPrometheus(Number(new URL(url).port), impatient)
    await use(prometheus)
    await prometheus.remove()
  },
})

/** Asks Prometheus now and then; it has something new once a second. */
function untilItSays<T>(ask: () => Promise<T>, what: string) {
  const askAgain = async (): Promise<T> => {
    await sleep(200)
    return ask()
  }
  return until(askAgain, { what, withinMs: 60_000 })
}

/** As `MillraceQueueStuck emails`. */
async function firing(prometheus: Prometheus): Promise<string[]> {
  const alerts = await prometheus.firing()
  return alerts
    .map(({ labels }) => `${labels['alertname']} ${labels['queue'] ?? ''}`.trim())
    .toSorted()
}

describe.skipIf(isMissing)('Prometheus', () => {
  test('fires the alerts of a database in trouble, and fills every panel', async ({
    openQueue,
    rows,
    dashboard,
    prometheus,
  }) => {
    const fails = (): never => {
      throw new Error('the bank is closed')
    }
    const options = { maxRetries: 0 }
    const emails = openQueue(fails, { queueName: 'emails', dlq: 'dead emails' })
    const orders = openQueue(fails, { queueName: 'orders' })
    const wellRun = openQueue(() => undefined, { queueName: 'well run' })
    for (const queue of [emails, orders, wellRun]) {
      await queue.enqueue(1, options)
      await queue.drain()
    }
    await openQueue({ queueName: 'nobody receives' }).enqueue(1)
    const paused = openQueue({ queueName: 'paused' })
    await paused.enqueue(1)
    await paused.pause()
    await rows(`update {schema}.jobs set run_at = run_at - interval '10 minutes'`)
    const isScraped = async (): Promise<boolean> =>
      (await prometheus.query('millrace_jobs_failed_total')).length === 6
    await untilItSays(isScraped, 'a scrape')
    for (const queue of [emails, orders, wellRun]) {
      await queue.enqueue(2, options)
      await queue.drain()
    }

    const expected = [
      'MillraceJobsFailForGood emails',
      'MillraceJobsFailForGood orders',
      'MillraceJobsWait nobody receives',
      'MillraceNoWorker',
      'MillraceQueuePaused paused',
      'MillraceQueueStuck nobody receives',
      'MillraceRunsFail emails',
      'MillraceRunsFail orders',
    ]
    const areFiring = async (): Promise<boolean> => {
      const alerts = await firing(prometheus)
      return expected.every((alert) => alerts.includes(alert))
    }
    await untilItSays(areFiring, 'what is wrong').catch(() => undefined)
    expect(await firing(prometheus)).toEqual(expected)

    // What a worker says of itself with its heartbeats.
    await rows(
      `insert into {schema}.workers (token, host, pid, version, lease_ms, in_flight, rss_bytes, event_loop_lag_ms)
       values ('token', 'host', 1, '0', 600000, 1, 1, 1)`,
    )
    const hasSaid = async (): Promise<boolean> =>
      (await prometheus.query('millrace_worker_resident_memory_bytes')).length > 0
    await untilItSays(hasSaid, 'what the worker said')
    for (const { expr } of board.panels.flatMap(({ targets }) => targets)) {
      const asked = expr.replaceAll('$queue', '.*').replaceAll('$__rate_interval', '1m')
      expect([asked, (await prometheus.query(asked)).length > 0]).toEqual([asked, true])
    }

    await dashboard.kill('SIGKILL')
    const isGone = async (): Promise<boolean> =>
      (await firing(prometheus)).includes('MillraceNoMetrics')
    await untilItSays(isGone, 'that nobody answers')
  })
})
