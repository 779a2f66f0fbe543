import { fork } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDatabase, rowsOf, STEPS, type TestDatabase } from './arrange.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase()
})
afterAll(() => database.drop())

test('8 processes migrate at once: one schema, no error', async () => {
  const children = Array.from({ length: 8 }, () =>
    fork(new URL('../support/children/migrate.mjs', import.meta.url), [database.url, "it's ours"]),
  )
  await Promise.all(children.map((child) => once(child, 'message')))
  const exits = children.map((child) => once(child, 'exit'))
  const answers = children.map(async (child) => (await once(child, 'message'))[0] as unknown)
  for (const child of children) child.send('go')

  const codes = (await Promise.all(exits)).map(([code]) => code as unknown)
  expect(codes).toEqual(Array.from({ length: 8 }, () => 0))
  const steps = (await Promise.all(answers)) as { steps: number }[]
  expect(steps.filter((answer) => answer.steps > 0)).toHaveLength(1)
  const books = await rowsOf(database.pool(), `select version from "it's ours".migrations`)
  expect(books).toHaveLength(STEPS.length)
})
