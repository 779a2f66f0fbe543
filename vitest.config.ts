import { defineConfig } from 'vitest/config'

/** It replaces a module of ours, which a process that has loaded it already would not notice. */
const REPLACES_MODULES = ['test/migrations/steps.test.ts']

/** A browser wants both cores: they come after all others, one file at a time. */
const IN_BROWSER = 'test/browser/**/*.test.ts'

/** What holds for every test. */
const common = {
  // Real processes and a real server: a slow machine is no failure, a hanging test is.
  testTimeout: 30_000,
  hookTimeout: 60_000,
  teardownTimeout: 20_000,
  pool: 'forks',
} as const

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...common,
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...REPLACES_MODULES, IN_BROWSER],
          // A process for each file, with all modules and a PGlite of its own, took half as much again.
          isolate: false,
        },
      },
      { test: { ...common, name: 'alone', include: REPLACES_MODULES } },
      {
        test: {
          ...common,
          name: 'browser',
          include: [IN_BROWSER],
          globalSetup: ['test/browser/global-setup.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
