/** How many jobs go into one call, and how many calls are under way at a time. */
export interface BatchPlan {
  readonly size: number
  readonly atOnce: number
}

/** One call after the other, where the order of the jobs counts. */
export function inOrder({ size }: BatchPlan): BatchPlan {
  return { size, atOnce: 1 }
}

/** Hands over all items in batches, in their order. Rejects with the first error, once nothing is under way. */
export async function inBatches<T>(
  items: readonly T[],
  { size, atOnce }: BatchPlan,
  send: (batch: T[]) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const sendOn = async (): Promise<void> => {
    while (next < items.length) {
      const batch = items.slice(next, (next += size))
      await send(batch)
    }
  }
  const senders = Array.from({ length: atOnce }, sendOn)
  await Promise.allSettled(senders)
  await Promise.all(senders)
}
