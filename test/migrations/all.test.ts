import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { fillSchema } from '../../src/core/identifiers.ts'
import { LATEST_VERSION, migrations } from '../../src/migrations/all.ts'

test('versions run from 1 without gaps, and names are unique', () => {
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1))
  expect(LATEST_VERSION).toBe(migrations.length)
  expect(new Set(migrations.map(({ name }) => name)).size).toBe(migrations.length)
})

test('no step asks for newer code than itself, or for less than the step before', () => {
  for (const [index, { oldestCode, version }] of migrations.entries()) {
    expect(oldestCode).toBeGreaterThanOrEqual(migrations[index - 1]?.oldestCode ?? 1)
    expect(oldestCode).toBeLessThanOrEqual(version)
  }
})

test('every step has its file', async () => {
  const files = await readdir(new URL('../../src/migrations', import.meta.url))
  for (const { version, name } of migrations) {
    expect(files).toContain(`${String(version).padStart(4, '0')}-${name}.ts`)
  }
})

test.each(
  migrations.flatMap(({ version, up, down }) => [
    ...up.map((sql, index) => ({ version, way: 'up', index, sql })),
    ...down.map((sql, index) => ({ version, way: 'down', index, sql })),
  ]),
)('$version $way [$index] is one statement with known placeholders', ({ sql }) => {
  expect(sql.trim()).not.toMatch(/;$/)
  expect(sql.trim()).not.toMatch(/--.*$/) // the semicolon of a printed step would be in the comment
  expect(fillSchema(sql, 'millrace')).not.toMatch(/\{(schema|schema_name|body)\b/)
})
