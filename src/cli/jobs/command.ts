import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { addEdit } from './edit.ts'
import { addList } from './list.ts'
import { addLogs } from './logs.ts'
import { addShow } from './show.ts'
import { addSteer } from './steer.ts'
import { addWatch } from './watch.ts'

/** `millrace jobs list|show|logs|edit|cancel|retry|delete|watch` */
export function addJobs(program: Command, cli: Cli): void {
  const jobs = program
    .command('jobs')
    .description('look at jobs, change, cancel, retry or delete them')
  addList(jobs, cli)
  addShow(jobs, cli)
  addLogs(jobs, cli)
  addEdit(jobs, cli)
  addSteer(jobs, cli)
  addWatch(jobs, cli)
}
