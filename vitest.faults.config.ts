import { defineConfig } from 'vitest/config'

/**
 * The fault runs at full length, `npm run test:faults`; `npm test` plays them in short. One at a time, so that the
 * figures are the fault's and not the neighbour's. What they find is written into docs/reliability.md.
 */
export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts', 'test/faults/report.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    include: ['test/faults/**/*.test.ts'],
    env: { FAULTS: 'full' },
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 1,
    maxConcurrency: 1,
  },
})
