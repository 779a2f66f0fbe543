import type { Reporter, TestModule } from 'vitest/node'

/** Ends the output with one plain line, `12 passed, 0 failed`, for programs that read it. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        counts[state === 'pending' ? 'failed' : state] += 1
      }
      // A file that failed to load has no tests; the line must not look green.
      counts.failed += module.errors().length
    }
    counts.failed += unhandledErrors.length
    const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`)
  }
}
