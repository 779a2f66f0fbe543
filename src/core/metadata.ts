/** Facts about a job that are not its arguments, such as a trace or a tenant: an object of JSON values. */
export type Metadata = Record<string, unknown>
