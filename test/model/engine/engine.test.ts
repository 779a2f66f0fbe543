import fc from 'fast-check'
import { afterAll, beforeAll, inject, test } from 'vitest'
import { Theatre } from './perform.ts'
import { scenario } from './scenario.ts'

/** Scenarios in `npm test`; `npm run test:model` takes more. */
const RUNS = Math.ceil(Number(process.env['MODEL_RUNS'] ?? 144) / 8)
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
    const performances = theatres.map((theatre) =>
      fc.assert(
        fc.asyncProperty(scenario, (drawn) => theatre.perform(drawn)),
        { numRuns },
      ),
    )
    await Promise.all(performances)
  },
)
