import { createDashboard } from '../../dashboard/index.ts'
import { codeOf, Failure } from '../failure.ts'
import { openTo, serve, USUAL_PORT, type Serving } from '../serve.ts'
import type { DemoDatabase } from './database.ts'

const ADDRESS = '127.0.0.1'

/** The dashboard of the demo, for everybody on this machine. */
export async function openDashboard({ connection, schema }: DemoDatabase): Promise<Serving> {
  const dashboard = createDashboard(connection, { ...openTo(ADDRESS), schema })
  try {
    return await serve(dashboard, USUAL_PORT, ADDRESS)
  } catch (error) {
    // Perhaps another demo has it.
    if (!(error instanceof Failure) || codeOf(error.cause) !== 'EADDRINUSE') throw error
    return serve(dashboard, 0, ADDRESS)
  }
}
