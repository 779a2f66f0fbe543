// Finds the Node on which every contender runs. Plain JavaScript, as Node 20 runs no TypeScript.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const MAJOR = '22'
const VERSION = '22.23.3'
const root = path.resolve(import.meta.dirname, '..')

/** Runs a program of the benchmark with our arguments, and exits as it does. */
export function runOnNode22(script) {
  try {
    const args = [path.join(import.meta.dirname, script), ...process.argv.slice(2)]
    const run = spawn(findNode(), args, {
      stdio: 'inherit',
      env: { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' },
    })
    // Ctrl-C reaches both; the run removes its servers and then ends by itself.
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => run.kill(signal))
    run.on('exit', (code, signal) => process.exit(signal === null ? code : 1))
  } catch (error) {
    console.error(`Node ${VERSION} cannot be had: ${String(error?.message ?? error)}`)
    process.exit(1)
  }
}

/** This very Node where it is of the right major, else the package of it, which is kept from run to run. */
function findNode() {
  if (process.versions.node.split('.')[0] === MAJOR) return process.execPath
  const { platform, arch } = process
  const folder = path.join(root, 'build/runtimes', `Node-${VERSION}-${platform}-${arch}`)
  const ending = platform === 'win32' ? '.exe' : ''
  const program = path.join(folder, 'node_modules/runtime/bin', `node${ending}`)
  if (!existsSync(program)) fetchNode(folder)
  const answer = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim()
  if (answer !== `v${VERSION}`) throw new Error(`it says that it is ${answer}`)
  return program
}

function fetchNode(folder) {
  const system = process.platform === 'win32' ? 'win' : process.platform
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
  const runtime = `runtime@npm:node-${system}-${process.arch}@${VERSION}`
  const args = [
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    runtime,
  ]
  // npm itself by its path: on Windows `npm` is no program, and a shell would have to quote.
  const cli = process.env.npm_execpath
  const [npm, first] = cli === undefined ? ['npm', []] : [process.execPath, [cli]]
  execFileSync(npm, [...first, ...args], { cwd: folder, stdio: 'inherit', env: ownEnvironment() })
}

/** What `npm run` tells its children of this package would lead them back to it. */
function ownEnvironment() {
  const isOurs = (name) => !/^npm_(package|lifecycle)_|^npm_config_(local_)?prefix$/i.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => isOurs(name)))
}
