import { inQuotes, namesWithValue, optionsWithChoices, type CommandShape } from './shape.ts'

/** For bash, from version 3.2 on, which macOS has. */
export function bashScript(shapes: readonly CommandShape[]): string {
  return `# millrace completion for bash: source <(millrace completion bash)
_millrace() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local at='' with_value=${inQuotes(` ${namesWithValue(shapes).join(' ')} `)} i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -* || $with_value == *" \${COMP_WORDS[i-1]} "* ]] && continue
    case "\${at:+$at }$word" in
      ${pathsOf(shapes)}) at="\${at:+$at }$word" ;;
    esac
  done
  COMPREPLY=()
  case $previous in
${optionsWithChoices(shapes)
  .map(({ names, choices }) => `    ${names.join('|')}) ${answer(choices)}; return ;;`)
  .join('\n')}
  esac
  [[ $with_value == *" $previous "* ]] && return
  case $at in
${shapes.map(caseOf).join('\n')}
  esac
}
complete -o default -F _millrace millrace
`
}

/** Where a command has commands below it they are offered, and its options where a dash was typed. */
function caseOf({ path, commands, options, choices }: CommandShape): string {
  const flags = options.flatMap(({ names }) => names)
  const words = [...commands.map(({ name }) => name), ...choices]
  const others = words.length === 0 ? '' : `else ${answer(words)}; `
  return `    ${inQuotes(path)}) if [[ $current == -* ]]; then ${answer(flags)}; ${others}fi ;;`
}

function answer(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W ${inQuotes(words.join(' '))} -- "$current"))`
}

function pathsOf(shapes: readonly CommandShape[]): string {
  return shapes
    .filter(({ path }) => path !== '')
    .map(({ path }) => inQuotes(path))
    .join('|')
}
