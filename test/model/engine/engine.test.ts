import fc from 'fast-check'
import { afterAll, beforeAll, inject, test } from 'vitest'
import { Theatre } from './perform.ts'
import { scenario } from './scenario.ts'

/** `npm run test:model` says how much; one scenario takes as long as eight sequences of steps. */
const LONG_RUN = process.env['MODEL_RUNS']
const RUNS = LONG_RUN === undefined ? 18 : Math.ceil(Number(LONG_RUN) / 8)
/** `npm test` draws the same scenarios each time; what real receivers make of them differs all the same. */
const SEED = LONG_RUN === undefined ? 20_261_124 : undefined
/** Scenarios mostly wait for leases to run out, so several are performed side by side. */
const THEATRES = 6

let theatres: Theatre[] = []

beforeAll(async () => {
  const url = inject('databaseUrl')
  const names = Array.from({ length: THEATRES }, (_, place) => `engine ${process.pid} ${place}`)
  theatres = names.map((name) => new Theatre(url, name))
  await Promise.all(theatres.map((theatre) => theatre.open()))
})

afterAll(() => Promise.all(theatres.map((theatre) => theatre.close())))

test(
  'receivers that crash, hang and lose answers keep every promise',
  {
    timeout: 86_400_000,
  },
  async () => {
    const numRuns = Math.ceil(RUNS / THEATRES)
    // Not shrunk: what broke in one performance rarely breaks in the next, and each takes seconds.
    const performances = theatres.map((theatre, place) =>
      fc.assert(
        fc.asyncProperty(scenario, (drawn) => theatre.perform(drawn)),
        { numRuns, endOnFailure: true, ...(SEED === undefined ? {} : { seed: SEED + place }) },
      ),
    )
    await Promise.all(performances)
  },
)
