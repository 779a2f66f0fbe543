import type { DBTX } from 'millrace'

/** An interactive transaction of Prisma as Millrace takes one. */
export function prismaTx(tx: PrismaTransaction): DBTX {
  return {
    async query(text, values = []) {
      const rows = await tx.$queryRawUnsafe<Record<string, unknown>[]>(text, ...values)
      return { rows, rowCount: rows.length }
    },
  }
}

/** The part of `Prisma.TransactionClient` that is used here. */
interface PrismaTransaction {
  $queryRawUnsafe<T>(query: string, ...values: unknown[]): PromiseLike<T>
}
