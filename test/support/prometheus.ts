import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeOwnFolder } from './postgres-leftovers.ts'
import { findFreePort, serverEnvironment } from './postgres.ts'
import { findProgram } from './programs.ts'
import { until } from './until.ts'

/** A Prometheus that scrapes one address every second, on 127.0.0.1, gone after `remove`. */
export interface Prometheus {
  /** The values that an expression has now, by Prometheus' HTTP API. Throws what Prometheus says against it. */
  query(expression: string): Promise<readonly QueriedValue[]>
  /** The alerts that are firing. */
  firing(): Promise<readonly FiringAlert[]>
  remove(): Promise<void>
}

/** A value with the labels that tell it apart. */
export interface QueriedValue {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [at: number, value: string]
}

/** An alert as Prometheus would send it. */
export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

interface Answer<Data> {
  readonly status: 'success' | 'error'
  readonly error?: string
  readonly data: Data
}

/** Scrapes `http://127.0.0.1:port/metrics`, and evaluates `rules`, a file of rules, every second. */
export async function startPrometheus(port: number, rules: string): Promise<Prometheus> {
  const program = findProgram('prometheus')
  if (program === undefined) throw new Error('There is no prometheus here.')
  const folder = makeOwnFolder()
  const ownPort = await findFreePort()
  writeConfiguration(folder, port, rules)
  const child = spawn(
    program,
    [
      `--config.file=${path.join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${ownPort}`,
    ],
    { cwd: folder, env: serverEnvironment(), stdio: 'ignore' },
  )
  const endWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', endWithUs)
  const address = `http://127.0.0.1:${ownPort}`
  await untilReady(address, () => child.exitCode)
  const ask = async <Data>(at: string): Promise<Data> => {
    const response = await fetch(`${address}/api/v1/${at}`)
    const { status, error, data } = (await response.json()) as Answer<Data>
    if (status === 'error') throw new Error(`Prometheus says of ${at}: ${error}`)
    return data
  }
  return {
    query: async (expression) =>
      (await ask<{ result: QueriedValue[] }>(`query?query=${encodeURIComponent(expression)}`))
        .result,
    firing: async () => {
      const { alerts } = await ask<{ alerts: (FiringAlert & { state: string })[] }>('alerts')
      return alerts.filter(({ state }) => state === 'firing')
    },
    remove: async () => {
      process.off('exit', endWithUs)
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.kill('SIGKILL')
        await exited
      }
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}

function writeConfiguration(folder: string, port: number, rules: string): void {
  fs.writeFileSync(path.join(folder, 'rules.yml'), rules)
  const lines = [
    'global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }',
    'rule_files: [rules.yml]',
    'scrape_configs:',
    '  - job_name: millrace',
    `    static_configs: [{ targets: ['127.0.0.1:${port}'] }]`,
  ]
  fs.writeFileSync(path.join(folder, 'prometheus.yml'), `${lines.join('\n')}\n`)
}

async function untilReady(address: string, exitCode: () => number | null): Promise<void> {
  await until(
    async () => {
      if (exitCode() !== null) throw new Error(`Prometheus did not start: ${exitCode()}`)
      await sleep(50)
      return fetch(`${address}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      )
    },
    { what: 'Prometheus' },
  )
}
