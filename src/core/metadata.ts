/** Facts about a job that are not its arguments, such as a trace or a tenant: an object of JSON values. */
export type Metadata = Record<string, unknown>

/** Reads stored metadata; most jobs have none, and each gets an object of its own. */
export function readMetadata(json: string): Metadata {
  return json === '{}' ? {} : (JSON.parse(json) as Metadata)
}
