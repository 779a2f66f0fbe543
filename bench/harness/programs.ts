import path from 'node:path'
import type { Contender } from '../contender.ts'
import type { RoleProgram } from './role.ts'

/** The Node of a contender that asks for 20; a test of the package has it too. */
export const NODE_20 = '20.19.0'

/** The process of a run, as this Node runs it. */
export const HERE: RoleProgram = {
  node: process.execPath,
  script: path.join(import.meta.dirname, 'role-main.ts'),
}

/** How the processes of a contender are started. */
export async function programFor(contender: Contender): Promise<RoleProgram> {
  if (contender.node === undefined) return HERE
  const { programOnNode20 } = await import('./program-node20.ts')
  return programOnNode20()
}
