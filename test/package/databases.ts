import { Client } from 'pg'
import { inject } from 'vitest'

/** Makes an empty database on the server of the tests, and answers how to reach it. It goes with the server. */
export async function createDatabase(purpose: string): Promise<string> {
  const words = purpose.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')
  const name = `millrace_package_${process.pid}_${words}`
  const admin = new Client({ connectionString: inject('databaseUrl') })
  await admin.connect()
  await admin.query(`drop database if exists ${name} with (force)`)
  await admin.query(`create database ${name}`)
  await admin.end()
  const url = new URL(inject('databaseUrl'))
  url.pathname = `/${name}`
  return url.href
}
