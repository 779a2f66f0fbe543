// `npm run bench`, on the Node on which every contender runs: see run.ts.
import { runOnNode22 } from './node22.mjs'

runOnNode22('run.ts')
