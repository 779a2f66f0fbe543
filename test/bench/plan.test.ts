import { expect, test } from 'vitest'
import type { Contender } from '../../bench/contender.ts'
import { planRuns } from '../../bench/harness/plan.ts'
import { SCALES } from '../../bench/harness/scale.ts'
import type { Scenario } from '../../bench/harness/scenario.ts'

const EVERYTHING = { scenarios: undefined, contenders: undefined, scale: SCALES.full }

function makeContender(name: string, changes: Partial<Contender> = {}): Contender {
  const abilities = new Set(['bulk'] as const)
  return { name, library: name, tuning: 'best', abilities, ...changes } as Contender
}

function makeScenario(name: Scenario['name'], changes: Partial<Scenario> = {}): Scenario {
  return { name, needs: ['bulk'], ...changes } as Scenario
}

function names(...parameters: Parameters<typeof planRuns>): string[] {
  return planRuns(...parameters).map(
    ({ scenario, contender, repetition }) => `${scenario.name} ${contender.name} ${repetition}`,
  )
}

test('contenders take turns, so that none has the better hour', () => {
  const contenders = [makeContender('a'), makeContender('b')]
  const runs = names([makeScenario('drain-kept')], contenders, { ...EVERYTHING, repetitions: 2 })
  expect(runs).toEqual(['drain-kept a 1', 'drain-kept b 1', 'drain-kept a 2', 'drain-kept b 2'])
})

test('who cannot do it is left out', () => {
  const contenders = [makeContender('a', { abilities: new Set() }), makeContender('b')]
  const runs = names([makeScenario('drain-kept')], contenders, { ...EVERYTHING, repetitions: 1 })
  expect(runs).toEqual(['drain-kept b 1'])
})

test('a long scenario runs once, and peers only at their best', () => {
  const contenders = [makeContender('a', { tuning: 'defaults' }), makeContender('b')]
  const scenario = makeScenario('depth-1m', { onlyBest: true, runsOnce: true })
  expect(names([scenario], contenders, { ...EVERYTHING, repetitions: 3 })).toEqual(['depth-1m b 1'])
})
