import { defineConfig } from 'vitest/config'

/**
 * The package as its users get it, `npm run test:package`: installed from its tarball outside of this
 * folder, on each runtime that it is for. It needs the registry; `npm test` does not.
 */
export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts', 'test/package/setup.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    include: ['test/package/*.package.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    maxConcurrency: 2,
  },
})
