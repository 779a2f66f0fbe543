import { InvalidArgumentError, Option, type Command } from 'commander'
import { GROUPS } from '../doctor/check.ts'
import { CHECKS } from '../doctor/checks.ts'
import { diagnose } from '../doctor/diagnose.ts'
import type { Finding, Level } from '../doctor/finding.ts'
import { version } from '../version.ts'
import type { Cli } from './cli.ts'
import { EXIT } from './failure.ts'
import type { GlobalOptions } from './place.ts'
import { withTarget } from './target.ts'
import type { Look } from './terminal/paint.ts'
import { padTo, printable, wrapTo } from './terminal/printable.ts'
import type { Terminal } from './terminal/terminal.ts'
import { showCount } from './terminal/words.ts'

interface DoctorOptions extends GlobalOptions {
  readonly role?: string
  readonly strict?: boolean
}

/** `millrace doctor` */
export function addDoctor(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .summary('look for what is wrong, and say what to do')
    .description(
      'look at the database and the schema for what keeps jobs from being run, and say what to do; changes nothing',
    )
    .addOption(new Option('--strict', 'exit with 1 for warnings, too'))
    .addOption(
      new Option(
        '--role <name>',
        'look at the rights of this role (default: the one that connects)',
      ).argParser(readRole),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, command: Command) => {
      await doctor(command.optsWithGlobals<DoctorOptions>(), cli)
    })
}

const EXAMPLES = `
It exits with 1 when it found an error, with 0 when there are only warnings.

Examples:
  $ millrace doctor
  $ millrace doctor --strict                  (in CI)
  $ millrace doctor --role app                (with the role of an administrator)
  $ millrace doctor --json | jq '.findings[] | select(.level != "ok")'
`

function readRole(text: string): string {
  if (text !== '') return text
  throw new InvalidArgumentError('It takes the name of a role.')
}

async function doctor(options: DoctorOptions, cli: Cli): Promise<void> {
  await withTarget(options, cli, {}, async ({ db, schema, description }) => {
    const findings = await diagnose(db, { schema, version, role: options.role })
    const failing: readonly Level[] = options.strict === true ? ['error', 'warning'] : ['error']
    const isOk = !findings.some(({ level }) => failing.includes(level))
    if (!isOk) cli.exitCode = EXIT.failed
    if (cli.isJson) return cli.json({ findings, ok: isOk })
    cli.print(`Schema ${printable(schema)} in ${description}`)
    for (const line of linesOf(findings, cli.out)) cli.print(line)
  })
}

/** How each level looks. */
const LOOKS: Readonly<Record<Level, Look>> = {
  ok: 'good',
  warning: 'warning',
  error: 'bad',
  skipped: 'quiet',
}
const LEVEL_WIDTH = Math.max(...Object.keys(LOOKS).map((level) => level.length))
const NAME_WIDTH = Math.max(...CHECKS.map(({ name }) => name.length))
const GAP = '  '
const INDENT = ' '.repeat(LEVEL_WIDTH + NAME_WIDTH + 3 * GAP.length)
/** On a terminal that is narrower than sense, sentences are not broken into single words. */
const NARROWEST = 30

function* linesOf(findings: readonly Finding[], out: Terminal): Generator<string> {
  for (const group of GROUPS) {
    yield ''
    yield out.paint('title', group)
    const names = CHECKS.filter((check) => check.group === group).map(({ name }) => name)
    for (const finding of findings.filter(({ check }) => names.includes(check))) {
      yield* linesOfFinding(finding, out)
    }
  }
  yield ''
  yield summaryOf(findings, out)
}

function* linesOfFinding(finding: Finding, { paint, columns }: Terminal): Generator<string> {
  const { level, check, message, remedy } = finding
  const width = Math.max(NARROWEST, columns - INDENT.length)
  const [first = '', ...others] = wrapTo(printable(message), width)
  const head = paint(LOOKS[level], padTo(level, LEVEL_WIDTH))
  yield [GAP, head, GAP, padTo(check, NAME_WIDTH), GAP, first].join('')
  for (const line of others) yield INDENT + line
  const [sentence, ...commands] = remedy?.split('\n').map(printable) ?? []
  if (sentence === undefined) return
  for (const line of wrapTo(`→ ${sentence}`, width)) yield INDENT + line
  // In one line however long it is: to be pasted.
  for (const command of commands) yield INDENT + GAP + paint('bar', command)
}

function summaryOf(findings: readonly Finding[], { paint }: Terminal): string {
  const count = (level: Level): number =>
    findings.filter((finding) => finding.level === level).length
  const skipped = count('skipped')
  const rest = skipped === 0 ? '' : `; ${skipped} skipped`
  const problems = [
    ...(count('error') > 0 ? [paint('bad', showCount(count('error'), 'error'))] : []),
    ...(count('warning') > 0 ? [paint('warning', showCount(count('warning'), 'warning'))] : []),
  ]
  if (problems.length > 0) return `${problems.join(', ')}${rest}.`
  return `${paint('good', 'Nothing is wrong')}${rest}.`
}
