import type { Figures } from './figures.ts'
import { blocks, code, list, plain, table, type ChartLink } from './markdown.ts'
import { formatCount } from './numbers.ts'
import { scenarioSections } from './scenario-sections.ts'
import { describeBound, describeMeasured, describeReadings, judgeTargets } from './verdicts.ts'

/** All that stands between the markers. `charts` are by scenario. */
export function renderMeasured(
  figures: Figures,
  charts: ReadonlyMap<string, readonly ChartLink[]>,
): string {
  return blocks([
    summary(figures),
    targets(figures),
    '## Scenario by scenario',
    reading(figures),
    ...scenarioSections(figures, charts),
    contenders(figures),
    machine(figures),
  ])
}

function summary({ context, results }: Figures): string {
  const runs = [...results.values()].flatMap((ofScenario) => [...ofScenario.values()])
  const count = runs.reduce((sum, result) => sum + result.runs.length, 0)
  const { cpu, cores, memoryGb } = context.machine
  return blocks([
    `Measured from ${time(context.startedAt)} to ${time(context.endedAt)} on ${plain(cpu)}, ${cores} cores, ${memoryGb} GB: ${formatCount(count)} runs of ${results.size} scenarios. The raw figures are in [results.json](benchmarks/results.json).`,
    context.scale === 'full'
      ? ''
      : `> **This was a \`${context.scale}\` run, of smaller sizes and fewer repetitions.** It shows that everything works; its figures are no base for a comparison.`,
    context.isPartial
      ? '> **This run was narrowed by `--only`:** what is missing was left out on purpose.'
      : '',
  ])
}

function targets(figures: Figures): string {
  const verdicts = judgeTargets(figures)
  const count = (outcome: string): number =>
    verdicts.filter((verdict) => verdict.outcome === outcome).length
  const marks = { reached: 'yes', 'not reached': '**no**', 'not measured': 'not measured' }
  return blocks([
    '## Targets',
    `What Millrace is to reach at its defaults (but for the concurrency, ${context(figures)}), as ratios of the medians of this run: ${count('reached')} of ${verdicts.length} are reached, ${count('not reached')} are not, ${count('not measured')} were not measured.`,
    table(
      [
        ['scenario', 'left'],
        ['target', 'left'],
        ['measured', 'right'],
        ['reached', 'left'],
        ['figures', 'left'],
      ],
      verdicts.map((verdict) => [
        verdict.target.scenario,
        describeBound(verdict.target),
        describeMeasured(verdict),
        marks[verdict.outcome],
        describeReadings(verdict, figures),
      ]),
    ),
  ])
}

function context({ context }: Figures): string {
  return `${context.concurrency} unless a scenario says otherwise`
}

function reading({ context }: Figures): string {
  const hasCeiling = context.contenders.some(({ name }) => name.startsWith('ceiling'))
  return [
    'A cell is the median of the repetitions, below it the least and the most. **Bold** is the best of a column',
    hasCeiling ? ', not counting the ceiling, which is bare SQL and no queue' : '',
    '. ⚠ marks runs in which something was wrong; what, stands below the table.',
  ].join('')
}

function contenders({ context, results }: Figures): string {
  const runs = [...results.values()].flatMap((byName) => [...byName.values()])
  const rows = context.contenders.map((contender) => {
    const own = runs.filter((result) => result.contender === contender.name)
    const nodes = new Set(own.flatMap((result) => result.runs.map(({ node }) => node)))
    const settings = Object.entries(contender.settings).map(([name, value]) =>
      code(`${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`),
    )
    return [
      contender.name,
      plain(`${contender.library} ${contender.version}`),
      contender.backend,
      [...nodes].sort().join(', '),
      settings.length === 0 ? 'its defaults' : settings.join('<br>'),
    ]
  })
  const titles = ['contender', 'library', 'on', 'Node', 'what is not its default'] as const
  return blocks([
    '## Contenders and their settings',
    table(
      titles.map((title) => [title, 'left']),
      rows,
    ),
  ])
}

function machine({ context }: Figures): string {
  const { cpu, cores, memoryGb, system } = context.machine
  const versions = Object.entries(context.versions).map(([name, version]) =>
    plain(`${name} ${version}`),
  )
  const servers = Object.entries(context.settings).map(([server, settings]) => {
    const entries = Object.entries(settings).map(([name, value]) => code(`${name} = ${value}`))
    return `${plain(server)}: ${entries.length === 0 ? 'all settings at their defaults' : entries.join(', ')}`
  })
  return blocks([
    '## Machine, versions and servers',
    list([
      `${plain(cpu)}, ${cores} cores, ${memoryGb} GB of memory, ${plain(system)}`,
      ...versions,
      ...servers,
    ]),
  ])
}

function time(iso: string): string {
  return iso.replace('T', ' ').replace(/:\d\d(\.\d+)?Z$/, ' UTC')
}
