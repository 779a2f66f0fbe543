import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Page } from 'playwright-core'

const root = path.resolve(import.meta.dirname, '../..')

/** How a picture of a page is taken. */
export interface ScreenshotOptions {
  /** All of the page rather than what the window shows. @default false */
  fullPage?: boolean
}

/** Takes a picture of a page, still and without a caret, as `build/screenshots/<name>.png`. Answers where it is. */
export async function screenshot(
  page: Page,
  name: string,
  options: ScreenshotOptions = {},
): Promise<string> {
  const file = path.join(root, 'build/screenshots', `${name}.png`)
  mkdirSync(path.dirname(file), { recursive: true })
  await page.screenshot({ ...options, path: file, animations: 'disabled', scale: 'css' })
  return file
}
