import type { Command } from 'commander'
import { migrateUp } from '../migrations/migrate.ts'
import type { Cli } from './cli.ts'
import type { GlobalOptions } from './place.ts'
import { withTarget } from './target.ts'
import { printable } from './terminal/printable.ts'
import { showCount } from './terminal/words.ts'

/** `millrace migrate up|down|status` */
export function addMigrate(program: Command, cli: Cli): void {
  const migrate = program.command('migrate').description("bring Millrace's tables up to date")
  migrate
    .command('up')
    .description('apply what is missing')
    .action(async (_options: unknown, command: Command) => {
      await up(command.optsWithGlobals<GlobalOptions>(), cli)
    })
}

async function up(options: GlobalOptions, cli: Cli): Promise<void> {
  await withTarget(options, cli, { create: true }, async ({ db, schema, description }) => {
    const { steps } = await migrateUp(db, { schema, signal: cli.stop })
    if (cli.isJson) return cli.json({ schema, steps })
    const what = steps.length === 0 ? 'was up to date' : `took ${showCount(steps.length, 'step')}`
    cli.print(`Schema ${printable(schema)} in ${description} ${what}.`)
  })
}
