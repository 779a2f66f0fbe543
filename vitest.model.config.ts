import { defineConfig, mergeConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** The long run of the model, `npm run test:model`; MODEL_RUNS says how long. `npm test` has a short one. */
export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({
    test: {
      include: ['test/model/**/*.test.ts'],
      env: { MODEL_RUNS: process.env['MODEL_RUNS'] ?? '5000' },
      testTimeout: 24 * 60 * 60 * 1000,
    },
  }),
)
