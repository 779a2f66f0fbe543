import type { Pool } from 'pg'

/** Every statement that goes over connections of this pool from now on. */
export function statementsOf(pool: Pool): string[] {
  const statements: string[] = []
  pool.on('connect', (client) => {
    const send = client.query.bind(client) as (...values: unknown[]) => unknown
    Object.assign(client, {
      query: (...values: unknown[]) => {
        const [first] = values as [string | { text: string }]
        statements.push((typeof first === 'string' ? first : first.text).trim())
        return send(...values)
      },
    })
  })
  return statements
}
