// `npm run bench:compare`, on the Node on which every contender runs: see compare/main.ts.
import { runOnNode22 } from './node22.mjs'

runOnNode22('compare/main.ts')
