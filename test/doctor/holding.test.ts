import { describe, expect, test } from 'vitest'
import { observeSessions, observeSlots } from '../../src/doctor/holding.ts'
import type { Session } from '../../src/doctor/holders.ts'
import { DEFAULT_LIMITS } from '../../src/doctor/limits.ts'
import { showQuery } from '../../src/doctor/query-text.ts'

describe('of a query is shown', () => {
  test.each([
    ['select  *\n  from\tevents', 'select * from events'],
    [
      'select * from events where id = $1 and n > $2',
      'select * from events where id = $1 and n > $2',
    ],
    [`insert into jobs (args) values ('{"to":"ada"}')`, 'insert into jobs (args) values (…'],
    [`select E'it\\'s', 'secret'`, 'select E…'],
    ['select $$secret$$', 'select …'],
    ['select $ä_1$secret$ä_1$', 'select …'],
    [`select "it's", 'secret'`, 'select "it…'],
    [`-- it's\nselect 1`, '-- it…'],
    ['', ''],
  ])('%j: %j', (query, shown) => {
    expect(showQuery(query)).toBe(shown)
  })

  test('no more than a hundred characters', () => {
    expect(showQuery(`select ${'x, '.repeat(100)}`)).toHaveLength(101)
  })
})

const server = {
  ...{ version: '18.1', versionNumber: 180_001, isStandby: false, quotedUser: 'app' },
  ...{ quotedSchema: 'millrace', seesAllSessions: true },
}
const session: Session = {
  ...{ processId: 7, user: 'ada', application: 'psql', address: null, state: 'active' },
  ...{ kind: 'client backend', openForMs: '1000', query: 'select 1', transactions: 5 },
}

describe('who holds a snapshot', () => {
  test('is told by how long, or where that is not known by how much has happened since', () => {
    const told = (changes: Partial<Session>): string[] =>
      observeSessions([{ ...session, ...changes }], server, DEFAULT_LIMITS).map(
        ({ message }) => message,
      )
    expect(told({})).toEqual([])
    expect(told({ openForMs: '720000' })).toEqual([
      'Process 7 (ada, psql) has held a snapshot for 12 min 0 s (active, its query: select 1): vacuum cannot remove what was worked off since.',
    ])
    const walsender = { kind: 'walsender', openForMs: null, query: '', transactions: 2_000_000 }
    expect(told(walsender)).toEqual([
      'Process 7 (ada, psql) has held a snapshot over 2,000,000 transactions for a standby, by its hot_standby_feedback.',
    ])
  })
})

describe('a replication slot', () => {
  test('is told when it holds back much, and dropping it only where nobody uses it', () => {
    const slot = { name: 'standby', isActive: true, transactions: 10 }
    expect(observeSlots([slot], DEFAULT_LIMITS)).toEqual([])
    const far = { ...slot, transactions: 5_000_000 }
    const [active] = observeSlots([far], DEFAULT_LIMITS)
    expect(active?.remedy).not.toContain('drop')
    const [left] = observeSlots([{ ...far, isActive: false }], DEFAULT_LIMITS)
    expect(left?.remedy).toContain(`select pg_drop_replication_slot('standby');`)
  })
})
