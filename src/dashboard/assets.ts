import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

/** A file that pages ask for. */
export interface Asset {
  readonly type: string
  readonly content: Uint8Array<ArrayBuffer>
}

/** All of them. Their address changes with what is in them, so that browsers keep them for good. */
export interface Assets {
  readonly version: string
  find(name: string): Asset | undefined
}

const SCRIPT = 'text/javascript; charset=utf-8'
const STYLE = 'text/css; charset=utf-8'
const ICON = 'image/svg+xml'

/** Ours, in `assets/`; scripts and style are sent as they stand there. */
const OWN: Readonly<Record<string, string>> = {
  'app.js': SCRIPT,
  'actions.js': SCRIPT,
  'charts.js': SCRIPT,
  'dialog.js': SCRIPT,
  'fields.js': SCRIPT,
  'keys.js': SCRIPT,
  'live.js': SCRIPT,
  'make.js': SCRIPT,
  'morph.js': SCRIPT,
  'selection.js': SCRIPT,
  'theme.js': SCRIPT,
  'times.js': SCRIPT,
  'style.css': STYLE,
  'icon.svg': ICON,
}

/** uPlot, which draws the charts (https://github.com/leeoniya/uPlot). */
const OF_UPLOT: Readonly<Record<string, string>> = {
  'uPlot.iife.min.js': SCRIPT,
  'uPlot.min.css': STYLE,
}

let loading: Promise<Assets> | undefined

/** Reads them, once in a process. */
export function loadAssets(): Promise<Assets> {
  loading ??= readAssets().catch((error: unknown) => {
    loading = undefined
    throw error
  })
  return loading
}

async function readAssets(): Promise<Assets> {
  const { resolve } = createRequire(import.meta.url)
  const own = Object.entries(OWN).map(
    ([name, type]) => [name, type, new URL(`./assets/${name}`, import.meta.url)] as const,
  )
  const ofUplot = Object.entries(OF_UPLOT).map(
    ([name, type]) => [name, type, resolve(`uplot/dist/${name}`)] as const,
  )
  const assets = new Map<string, Asset>()
  const hash = createHash('sha256')
  for (const [name, type, place] of [...own, ...ofUplot]) {
    const content = Uint8Array.from(await readFile(place))
    hash.update(name).update(content)
    assets.set(name, { type, content })
  }
  return { version: hash.digest('base64url').slice(0, 12), find: (name) => assets.get(name) }
}
