import { Argument, type Command } from 'commander'
import type { Cli } from '../cli.ts'
import { bashScript } from './bash.ts'
import { fishScript } from './fish.ts'
import { shapesOf, type CommandShape } from './shape.ts'
import { zshScript } from './zsh.ts'

const SCRIPTS: Readonly<Record<string, (shapes: readonly CommandShape[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

/** `millrace completion bash|zsh|fish` */
export function addCompletion(program: Command, cli: Cli): void {
  program
    .command('completion')
    .description('print a script by which your shell completes commands and options')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', EXAMPLES)
    .action((shell: string) => {
      const script = SCRIPTS[shell]?.(shapesOf(program)) ?? ''
      if (cli.isJson) cli.json({ shell, script })
      else cli.out.write(script)
    })
}

const EXAMPLES = `
Examples:
  $ echo 'source <(millrace completion bash)' >> ~/.bashrc
  $ echo 'source <(millrace completion zsh)' >> ~/.zshrc        (after compinit)
  $ millrace completion fish > ~/.config/fish/completions/millrace.fish
`
