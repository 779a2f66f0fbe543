import type { Command, Option } from 'commander'

/** A word that can be completed, and what it means. */
export interface Word {
  readonly name: string
  readonly meaning: string
}

/** An option as shells see it. */
export interface OptionShape {
  /** `--queue`, `-q` */
  readonly names: readonly string[]
  readonly meaning: string
  readonly takesValue: boolean
  /** The values that it takes, where only some are. */
  readonly choices: readonly string[]
}

/** A command as shells see it. */
export interface CommandShape {
  /** The words that lead to it: `jobs list`; of the program itself none. */
  readonly path: string
  readonly commands: readonly Word[]
  readonly options: readonly OptionShape[]
  /** What its first argument can be, where only some are. */
  readonly choices: readonly string[]
}

/** The program's commands, itself first. */
export function shapesOf(program: Command): CommandShape[] {
  const globals = program.options.filter((option) => option.long !== '--version')
  return [
    shapeOf(program, '', []),
    ...program.commands.flatMap((each) => shapesBelow(each, '', globals)),
  ]
}

function shapesBelow(command: Command, above: string, globals: readonly Option[]): CommandShape[] {
  const path = `${above} ${command.name()}`.trim()
  const below = command.commands.flatMap((each) => shapesBelow(each, path, globals))
  return [shapeOf(command, path, globals), ...below]
}

function shapeOf(command: Command, path: string, globals: readonly Option[]): CommandShape {
  const options = [...command.options, ...globals].map((option) => ({
    names: [option.long, option.short].filter((name) => name !== undefined),
    meaning: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  }))
  const help = {
    names: ['--help', '-h'],
    meaning: 'explain a command',
    takesValue: false,
    choices: [],
  }
  return {
    path,
    commands: command.commands.map((each) => ({ name: each.name(), meaning: each.description() })),
    options: [...options, help],
    choices: command.registeredArguments[0]?.argChoices ?? [],
  }
}

/** The names of all options that take a value, of which the next word is none of ours. */
export function namesWithValue(shapes: readonly CommandShape[]): string[] {
  const options = shapes.flatMap(({ options }) => options).filter(({ takesValue }) => takesValue)
  return [...new Set(options.flatMap(({ names }) => names))]
}

/** The options whose values are known, each once. */
export function optionsWithChoices(shapes: readonly CommandShape[]): OptionShape[] {
  const known = shapes.flatMap(({ options }) => options).filter(({ choices }) => choices.length > 0)
  const byName = new Map(known.map((option) => [option.names.join(), option]))
  return [...byName.values()]
}

/** A text in single quotes, for each of the shells. */
export function inQuotes(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
