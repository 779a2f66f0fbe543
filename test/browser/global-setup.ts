import type { TestProject } from 'vitest/node'
import { findChromium } from './find-chromium.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The program in which pages are tested; empty where there is none. */
    chromium: string
  }
}

/** Looks for the browser once, so that what is missing is said once. */
export function setup(project: TestProject): void {
  const chromium = findChromium()
  if (chromium === undefined) {
    console.warn(
      'Skipped: there is no Chromium for the tests of pages (Debian: apt-get install chromium; or name one in MILLRACE_CHROMIUM).',
    )
  }
  project.provide('chromium', chromium ?? '')
}
