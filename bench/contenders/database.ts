import { Client } from 'pg'

/** Lends a connection beside those of the library that is measured. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** The one number that a query answers with. */
export async function readCount(url: string, sql: string, args: unknown[] = []): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ count: string }>(sql, args)
    return Number(rows[0]?.count)
  })
}
