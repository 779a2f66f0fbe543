import { defineConfig, mergeConfig } from 'vitest/config'
import base from './vitest.config.ts'

/**
 * The package as its users get it, `npm run test:package`: installed from its tarball outside of this
 * folder, on each runtime that it is for. It needs the registry; `npm test` does not.
 */
export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({
    test: {
      include: ['test/package/*.package.ts'],
      globalSetup: ['test/package/setup.ts'],
      maxConcurrency: 2,
      testTimeout: 120_000,
      hookTimeout: 120_000,
    },
  }),
)
