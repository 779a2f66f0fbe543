// `node bench/http-api.mjs`, on the Node on which the benchmark runs: see http-api/main.ts.
import { runOnNode22 } from './node22.mjs'

runOnNode22('http-api/main.ts')
