import { loadContender } from '../contenders/index.ts'
import type { OpenQueue, Receiving } from '../contender.ts'
import { enqueueAll, enqueueInTransactions, offer, Press } from './enqueuing.ts'
import { payload, payloads } from './payload.ts'
import type { Answer, Call, Opening, Procedures } from './procedures.ts'
import { Tally } from './tally.ts'
import { nowMs } from './clock.ts'

// One process of a run: opens one contender and does what its parent asks for (see role.ts).

type Implementation = {
  [Name in keyof Procedures]: (
    ...parameters: Parameters<Procedures[Name]>
  ) => ReturnType<Procedures[Name]> | Promise<ReturnType<Procedures[Name]>>
}

let url = ''
let queue: OpenQueue | undefined
let tally: Tally | undefined
let receiving: Receiving | undefined
let press: Press | undefined

const procedures: Implementation = {
  open,
  prepare: () => opened().prepare(),
  enqueue: (calls) => enqueueAll(opened(), calls),
  enqueueMany: async ({ from, count, priority }) => {
    const jobs = payloads(from, count)
    const start = performance.now()
    await opened().enqueueMany(jobs, priority === undefined ? undefined : { priority })
    return { elapsedMs: performance.now() - start }
  },
  enqueueInTransactions: (calls) => enqueueInTransactions(opened(), url, calls),
  offer: (request) => offer(opened(), request),
  press: (request) => (press = new Press()).run(opened(), request),
  ranUpTo: (done) => press?.ranUpTo(done),
  enqueueOne: async (n) => {
    const began = nowMs()
    await opened().enqueue(payload(n))
    return { began, ended: nowMs() }
  },
  receive: async ({ kind, capacity, handlerMs }) => {
    tally = new Tally(kind, capacity, handlerMs)
    receiving = await opened().receive(tally.handler)
  },
  startUp: async (opening) => {
    const start = performance.now()
    await open(opening)
    tally = new Tally('noop', 1)
    receiving = await opened().receive(tally.handler)
    await tally.untilDone(0)
    return { startMs: performance.now() - start }
  },
  progress: () => counted().progress,
  untilDone: (n) => counted().untilDone(n),
  runs: () => counted().runs,
  outOfOrder: () => counted().outOfOrder,
  startedAt: () => counted().startedAt,
  stopReceiving: async () => {
    await receiving?.stop()
    receiving = undefined
  },
  fillHistory: (count) => opened().fillHistory(count),
  unfinished: () => opened().unfinished(),
  finished: () => opened().finished?.(),
  usage: () => {
    const { user, system } = process.cpuUsage()
    return {
      cpuSeconds: (user + system) / 1e6,
      memoryPeakMb: process.resourceUsage().maxRSS / 1_024,
    }
  },
  close: async () => {
    await queue?.close()
    queue = undefined
  },
}

async function open(opening: Opening): Promise<void> {
  const contender = await loadContender(opening.contender)
  url = opening.url
  queue = await contender.open(url, opening.needs)
}

function opened(): OpenQueue {
  if (queue === undefined) throw new Error('This process has not opened a queue')
  return queue
}

function counted(): Tally {
  if (tally === undefined) throw new Error('This process has not received')
  return tally
}

async function answer({ id, name, argument }: Call): Promise<Answer> {
  try {
    const procedure = procedures[name] as (argument: unknown) => unknown
    return { id, result: await procedure(argument) }
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

process.on('message', (call: Call) => {
  void answer(call).then((message) => process.connected && process.send?.(message))
})
// A role never outlives the benchmark.
process.on('disconnect', () => process.exit())
