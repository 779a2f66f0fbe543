import type { PGlite, Transaction as PGliteTransaction } from '@electric-sql/pglite'
import type { Client, Pool, PoolClient } from 'pg'
import type { ReservedSql, Sql, TransactionSql } from 'postgres'
import { expectTypeOf, test } from 'vitest'
import type { WorkContext } from '../../src/core/contexts.ts'
import { parseDuration, type Duration } from '../../src/core/duration.ts'
import type { Job, Worker, WorkFunction } from '../../src/core/job.ts'
import type { Logger } from '../../src/core/logger.ts'
import type { Middleware } from '../../src/core/middleware.ts'
import type { QueueOptions } from '../../src/core/queue-options.ts'
import type { TransactionLike } from '../../src/core/transaction.ts'
import type { Transaction } from '../../src/drivers/database.ts'
import type { DBTX } from '../../src/drivers/driver.ts'

interface Email {
  readonly to: string
}

test('what each driver calls a transaction fits, a pool and a whole database do not', () => {
  expectTypeOf<PoolClient>().toExtend<TransactionLike>()
  expectTypeOf<Client>().toExtend<TransactionLike>()
  expectTypeOf<TransactionSql>().toExtend<TransactionLike>()
  expectTypeOf<ReservedSql>().toExtend<TransactionLike>()
  expectTypeOf<PGliteTransaction>().toExtend<TransactionLike>()
  expectTypeOf<DBTX>().toExtend<TransactionLike>()
  expectTypeOf<Transaction>().toExtend<TransactionLike>()
  expectTypeOf<Pool>().not.toExtend<TransactionLike>()
  expectTypeOf<PGlite>().not.toExtend<TransactionLike>()
  expectTypeOf<Sql>().not.toExtend<TransactionLike>()
})

test('a duration is a number, or a string with its unit', () => {
  expectTypeOf<'1.5s'>().toExtend<Duration>()
  // @ts-expect-error a number without a unit
  const unitless: Duration = '5'
  // @ts-expect-error a unit that does not exist
  const weeks: Duration = '5w'
  expectTypeOf(parseDuration(unitless && weeks && '5s', 'delay')).toBeNumber()
})

test('arguments and result flow into the worker', () => {
  const work: WorkFunction<Email, number> = async (job, context) => {
    expectTypeOf(job).toEqualTypeOf<Job<Email>>()
    expectTypeOf(context).toEqualTypeOf<WorkContext<Email, number>>()
    expectTypeOf(context.args.to).toBeString()
    expectTypeOf(context.complete).parameter(1).toEqualTypeOf<number | undefined>()
    return 1
  }
  expectTypeOf<{ work: typeof work }>().toExtend<Worker<Email, number>>()
  // @ts-expect-error the result is a number
  const wrong: WorkFunction<Email, number> = async () => 'sent'
  expectTypeOf(wrong).toBeFunction()
})

test('options are checked by name and by type', () => {
  // @ts-expect-error a misspelt name
  const misspelt: QueueOptions = { polInterval: '1s' }
  // @ts-expect-error a wrong type
  const wrong: QueueOptions = { fifo: 'yes' }
  expectTypeOf(misspelt).toEqualTypeOf(wrong)
  expectTypeOf<Console>().toExtend<Logger>()
  expectTypeOf<Middleware>().toExtend<object>()
})
