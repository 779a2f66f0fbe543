import {
  inQuotes,
  namesWithValue,
  optionsWithChoices,
  type CommandShape,
  type Word,
} from './shape.ts'

/** For zsh: sourced, or as a file `_millrace` in a folder of `fpath`. */
export function zshScript(shapes: readonly CommandShape[]): string {
  return `#compdef millrace
# millrace completion for zsh: source <(millrace completion zsh)
_millrace() {
  local at='' word previous=\${words[CURRENT-1]}
  local -a commands flags with_value
  local -i i
  with_value=(${namesWithValue(shapes).join(' ')})
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    if [[ $word == -* ]] || (( \${with_value[(Ie)\${words[i-1]}]} )); then continue; fi
    case "\${at:+$at }$word" in
      (${pathsOf(shapes)}) at="\${at:+$at }$word" ;;
    esac
  done
  case $previous in
${optionsWithChoices(shapes)
  .map(
    ({ names, choices }) => `    (${names.join('|')}) compadd -- ${choices.join(' ')}; return ;;`,
  )
  .join('\n')}
  esac
  if (( \${with_value[(Ie)$previous]} )); then _files; return; fi
  case $at in
${shapes.map(caseOf).join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then _describe -o option flags
  elif (( $#commands )); then _describe command commands
  else _files; fi
}
if [[ $funcstack[1] == _millrace ]]; then _millrace "$@"; else compdef _millrace millrace; fi
`
}

function caseOf({ path, commands, options, choices }: CommandShape): string {
  const words = [...commands, ...choices.map((name) => ({ name, meaning: '' }))]
  const flags = options.flatMap(({ names, meaning }) => names.map((name) => ({ name, meaning })))
  return `    (${inQuotes(path)})
      commands=(${words.map(described).join(' ')})
      flags=(${flags.map(described).join(' ')}) ;;`
}

/** `name:meaning`; a colon in the name would end it. */
function described({ name, meaning }: Word): string {
  const escaped = name.replaceAll(':', '\\:')
  return inQuotes(meaning === '' ? escaped : `${escaped}:${meaning}`)
}

function pathsOf(shapes: readonly CommandShape[]): string {
  return shapes
    .filter(({ path }) => path !== '')
    .map(({ path }) => inQuotes(path))
    .join('|')
}
