import { resolveSchema } from './core/identifiers.ts'
import { readOptions } from './core/validate.ts'
import type { Database } from './drivers/database.ts'
import { driverFor } from './drivers/recognise.ts'
import { engineFor } from './engine.ts'
import { readMetrics, type MetricsText } from './metrics/prometheus.ts'

/** How `prometheusMetrics` works. */
export interface PrometheusOptions {
  /** The schema with Millrace's tables. @default 'millrace' */
  schema?: string | undefined
}

/**
 * The metrics of all queues, of all processes, in the text format of Prometheus: what a handler of `/metrics` answers.
 * They are read from the database, so any one process that can reach it can be scraped, also one that works on nothing.
 *
 * @throws MillraceError `INVALID_DATABASE`, `INVALID_OPTION`, `SCHEMA_MISSING`
 * @example
 * const { contentType, text } = await prometheusMetrics(db)
 * response.writeHead(200, { 'content-type': contentType }).end(text)
 */
export async function prometheusMetrics(
  db: Database,
  options?: PrometheusOptions,
): Promise<MetricsText> {
  const { schema } = readOptions(options, { of: 'prometheusMetrics', known: ['schema'] })
  return readMetrics(engineFor(driverFor(db), resolveSchema(schema)).store)
}
