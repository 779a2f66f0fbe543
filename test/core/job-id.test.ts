import { expect, test } from 'vitest'
import { parseJobId } from '../../src/core/job-id.ts'
import { expectRefusal, hostileValues } from './refusal.ts'

test.each(['0', '1', '42', '9007199254740993', '9223372036854775807'])('%s is a job id', (id) => {
  expect(parseJobId(id)).toBe(id)
})

const bad: readonly (readonly [string, unknown])[] = [
  ['a number', 42],
  ['a BigInt', 42n],
  ['an enormous BigInt', 10n ** 5_000n],
  ['null', null],
  ['undefined', undefined],
  ['an empty string', ''],
  ['a negative number', '-1'],
  ['a fraction', '1.5'],
  ['an exponent', '1e3'],
  ['hexadecimal', '0x10'],
  ['a leading zero', '042'],
  ['spaces', ' 42 '],
  ['a line break', '42\n'],
  ['other digits', '٤٢'],
  ['a word', 'abc'],
  ['one more than bigint holds', '9223372036854775808'],
  ['many digits', '1'.repeat(100_000)],
  ['an array', ['42']],
  ['an object with an id', { id: '42' }],
  ['a symbol', Symbol('42')],
  ['SQL', "1'; drop table jobs; --"],
  ...hostileValues(),
]

test.each(bad)('%s is no job id', (_, value) => {
  expectRefusal(() => parseJobId(value), 'INVALID_JOB_ID', 'A job id cannot be', 'job.id')
})
