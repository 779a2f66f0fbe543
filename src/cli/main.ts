#!/usr/bin/env node
import { Cli } from './cli.ts'
import { run } from './program.ts'

/** Nobody reads any more, as in `millrace jobs list | head`: that is no failure. */
function endWhenNobodyReads(error: NodeJS.ErrnoException): void {
  process.exit(error.code === 'EPIPE' ? 0 : 1)
}

process.stdout.on('error', endWhenNobodyReads)
process.stderr.on('error', endWhenNobodyReads)

const { stdin, stdout, stderr, env } = process
const cli = new Cli({ stdin, stdout, stderr, env, cwd: process.cwd() })
void run(process.argv.slice(2), cli).then(() => {
  process.exitCode = cli.exitCode
})
