// Loaded before a process of a run: whatever it imports of this checkout's `dist` comes from MILLRACE_BENCH_DIST.
// So the contenders, which import `../../dist/index.js`, know nothing of other builds.
import { registerHooks } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const ours = folderUrl(path.resolve(import.meta.dirname, '../../dist'))
const other = folderUrl(process.env.MILLRACE_BENCH_DIST)

registerHooks({
  resolve: (specifier, context, next) => {
    const target = specifier.startsWith('.') ? new URL(specifier, context.parentURL).href : ''
    return next(target.startsWith(ours) ? other + target.slice(ours.length) : specifier, context)
  },
})

function folderUrl(folder) {
  return `${pathToFileURL(folder).href}/`
}
