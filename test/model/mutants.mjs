// `npm run test:mutants`: shows that the model can fail. In a copy of the sources one safeguard after the other is taken
// out, and the model is played until it notices. How many sequences that took is written into docs/invariants.md.
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { writeSection } from '../support/generated-section.mjs'

const ROOT = path.resolve(import.meta.dirname, '../..')
const FOLDER = path.join(ROOT, 'build/mutants')
const MOST_RUNS = 1_000

const MUTANTS = [
  {
    words: 'The fence: whoever says that a job is finished is believed',
    file: 'src/store/fence.ts',
    from: /claimed_by = \$2::int4\s+and claim_no = \(\$4::int8\[\]\)\[width_bucket\(id, \$3::int8\[\]\)\]/,
    to: '$2::int4 is not null and $4::int8[] is not null',
  },
  {
    words: 'The fence’s claim number: only the worker is compared',
    file: 'src/store/fence.ts',
    from: 'claim_no = ($4::int8[])[width_bucket(id, $3::int8[])]',
    to: '$4::int8[] is not null',
  },
  {
    words: 'The reset of the floors when jobs came back behind them',
    file: 'src/worker/floors.ts',
    from: 'if (!isKnown || this.#isAhead(answer.now)) {',
    to: 'if (isKnown && this.#isAhead(answer.now)) {',
  },
  {
    words: 'The rescue: what a dead worker held is not given back',
    file: 'src/maintenance/rescuer.ts',
    from: 'const settled = await work()',
    to: 'const settled = await Promise.resolve(work === undefined ? [String(events)] : [])',
  },
  {
    words: 'FIFO ownership: whoever wants to claims from the head',
    file: 'src/store/claim-parts.ts',
    from: /export const MAY_CLAIM_FIFO = `exists \([^`]*`/,
    to: 'export const MAY_CLAIM_FIFO = `exists (select from {schema}.queues where queues.id = $1::int4 and $2::int4 is not null)`',
  },
  {
    words: 'That the dead claim nothing',
    file: 'src/store/claim-parts.ts',
    from: 'where workers.id = $2::int4 and workers.dead_at is null and workers.stopped_at is null',
    to: 'where workers.id = $2::int4',
  },
]

const results = MUTANTS.map(({ words, ...mutation }) => {
  console.log(`\n== Without: ${words}`)
  makeMutant(mutation)
  return { words, steps: play('steps'), receivers: play('engine') }
})
rmSync(FOLDER, { recursive: true, force: true })
writeReport(results)
const survivors = results.filter(
  ({ steps, receivers }) => steps === undefined && receivers === undefined,
)
for (const { words } of survivors) console.error(`Not noticed: ${words}`)
process.exit(survivors.length === 0 ? 0 : 1)

/** A copy of the sources and their tests, below this project so that it finds the same packages, with one change. */
function makeMutant({ file, from, to }) {
  rmSync(FOLDER, { recursive: true, force: true })
  for (const name of ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.model.config.ts'])
    cpSync(path.join(ROOT, name), path.join(FOLDER, name), { recursive: true })
  const target = path.join(FOLDER, file)
  const before = readFileSync(target, 'utf8')
  const after = before.replace(from, () => to)
  if (after === before) throw new Error(`${file} has no place any more for this mutant: ${from}`)
  writeFileSync(target, after)
}

/** How many random sequences it took to notice, 0 when one that was found before did; undefined: it did not notice. */
function play(which) {
  const file = which === 'steps' ? 'test/model/steps.test.ts' : 'test/model/engine/engine.test.ts'
  const args = ['vitest', 'run', '--config', 'vitest.model.config.ts', file]
  const run = spawnSync('npx', args, {
    cwd: FOLDER,
    // How long the sequence is says nothing here; to shrink it takes minutes.
    env: { ...process.env, MODEL_RUNS: String(MOST_RUNS), MODEL_SHRINKS: '0', NO_COLOR: '1' },
    encoding: 'utf8',
    maxBuffer: 1024 ** 3,
  })
  if (run.status === 0) return undefined
  const [, count] = /Property failed after (\d+) tests/.exec(run.stdout + run.stderr) ?? []
  console.log(`${which}: noticed after ${count ?? 'a sequence that was found before'}`)
  return count === undefined ? 0 : Number(count)
}

function writeReport(found) {
  const cell = (count) =>
    count === undefined ? `not in ${MOST_RUNS.toLocaleString('en-US')}` : count
  const rows = found.map(
    ({ words, steps, receivers }) => `| ${words} | ${cell(steps)} | ${cell(receivers)} |`,
  )
  const table = [
    '| taken out | sequences, step by step | sequences, with real receivers |',
    '|---|--:|--:|',
    ...rows,
  ].join('\n')
  writeSection('docs/invariants.md', 'mutants', table)
}
