const callbacks = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls `callback` when `signal` aborts, until the returned function takes it away again.
 * All callbacks of one signal share one listener: many statements may wait under the signal of one receiver, and Node
 * warns of a leak when a signal has more than ten.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal === undefined) return () => {}
  const waiting = callbacks.get(signal) ?? listenTo(signal)
  waiting.add(callback)
  return () => waiting.delete(callback)
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const waiting = new Set<() => void>()
  callbacks.set(signal, waiting)
  const callAll = (): void => {
    for (const callback of waiting) callback()
  }
  signal.addEventListener('abort', callAll, { once: true })
  return waiting
}
