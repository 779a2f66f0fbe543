import { namesWithValue, type CommandShape, type OptionShape } from './shape.ts'

/** For fish, from version 3 on. */
export function fishScript(shapes: readonly CommandShape[]): string {
  const paths = shapes.filter(({ path }) => path !== '').map(({ path }) => quoted(path))
  return `# millrace completion for fish: millrace completion fish | source
function __millrace_at
    set -l at ''
    set -l skip no
    for word in (commandline -opc)[2..]
        if test $skip = yes
            set skip no
        else if contains -- $word ${namesWithValue(shapes).join(' ')}
            set skip yes
        else if contains -- (string trim -- "$at $word") ${paths.join(' ')}
            set at (string trim -- "$at $word")
        end
    end
    test "$at" = "$argv[1]"
end
${shapes.flatMap(linesOf).join('\n')}
`
}

function linesOf(shape: CommandShape): string[] {
  const { path, commands, options, choices } = shape
  const here = `complete -c millrace -n ${quoted(`__millrace_at ${quoted(path)}`)}`
  const words = [
    ...commands.map(({ name, meaning }) => `${here} -f -a ${name} -d ${quoted(meaning)}`),
    ...choices.map((choice) => `${here} -f -a ${choice}`),
  ]
  return [...words, ...options.map((option) => `${here} ${flagsOf(option)}`)]
}

function flagsOf({ names, meaning, takesValue, choices }: OptionShape): string {
  const flags = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  )
  const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : takesValue ? ' -r' : ''
  return `${flags.join(' ')}${value} -d ${quoted(meaning)}`
}

/** Inside of single quotes fish knows \\' and \\\\. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
