import { showCommand } from '../core/show-command.ts'
import {
  addConstraint,
  createIndex,
  dropConstraint,
  dropIndex,
  dropTrigger,
  setOptions,
} from './commands.ts'
import type { Difference } from './differences.ts'
import { tableOf } from './expected-schema.ts'
import { withCommands } from './finding.ts'
import { compareOptions } from './storage-options.ts'
import type { Subject } from './subject.ts'

/** What brings a part of the schema back to how migrations make it. */
export function remedyFor(difference: Difference, { store, server }: Subject): string {
  const { kind, change } = difference
  const commands = commandsFor(difference, server.quotedSchema)
  if (commands === undefined) {
    const print = showCommand('migrate up --print', { schema: store.schema })
    const sentence =
      'Find out who changed it, and take that back. How it is made stands in what this prints:'
    return withCommands(sentence, print)
  }
  return withCommands(`${WHY[`${kind} ${change}`] ?? OWNER}:`, ...commands)
}

const OWNER = 'As the owner of the schema'

const WHY: Readonly<Record<string, string>> = {
  'index additional':
    'It makes each enqueue and settle dearer, and with a column that a claim changes each claim, too. If that is not meant',
  'trigger additional': 'It runs in each statement of Millrace on this table. If that is not meant',
  'options different': `${OWNER}; a fillfactor holds for the pages that are written from then on`,
}

/** Undefined for what no command can mend: who knows what a lost column held? */
function commandsFor(difference: Difference, schema: string): string[] | undefined {
  const { kind, name, change, found } = difference
  const isToGo = change !== 'missing'
  const isToCome = change !== 'additional'
  const text = difference.text.replaceAll('{schema}', () => schema)
  const table = tableOf(difference) ?? ''
  const ownName = name.slice(table.length + 1)
  switch (kind) {
    case 'index':
      return [
        ...(isToGo ? [dropIndex(schema, name)] : []),
        ...(isToCome ? [createIndex(text)] : []),
      ]
    case 'constraint':
      return [
        ...(isToGo ? [dropConstraint(schema, table, ownName)] : []),
        ...(isToCome ? [addConstraint(schema, table, ownName, text)] : []),
      ]
    case 'options':
      return setOptions(schema, table, compareOptions(text, found ?? 'none'))
    case 'trigger':
      return [dropTrigger(schema, table, ownName)]
    default:
      return undefined
  }
}
