import { defineConfig } from 'vitest/config'

/** The long run of the model, `npm run test:model`; MODEL_RUNS says how long. `npm test` has a short one. */
export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    include: ['test/model/**/*.test.ts'],
    env: { MODEL_RUNS: process.env['MODEL_RUNS'] ?? '5000' },
    testTimeout: 24 * 60 * 60 * 1000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
