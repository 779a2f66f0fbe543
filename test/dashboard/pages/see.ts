import { expect } from 'vitest'
import type { Role } from '../../../src/dashboard/index.ts'
import type { DashboardOptions } from '../../../src/dashboard/options.ts'
import type { Database } from '../../../src/drivers/database.ts'
import { findUnsafe, visitor, type Shown } from './arrange.ts'

/** A page, and what stands there without markup, each row of a table in a line. */
export interface Seen extends Shown {
  readonly text: string
}

/** What must stand on a page as it is, and become no markup. */
export const HOSTILE = `<script>alert(1)</script><img src=x onerror="alert(2)">'"&{"isEscaped":true}__proto__`

/** The pages of a dashboard as they are for a role, each looked through for what must not be there. */
export function seeAs(
  role: Role,
  db: Database,
  schema: string,
  options: Partial<DashboardOptions> = {},
): (path: string) => Promise<Seen> {
  const visit = visitor(db, schema, role, options)
  return async (path) => {
    const shown = await visit(path)
    const markup = shown.html.replaceAll(/ (?:title|value|aria-label|data-key)="[^"]*"/g, '')
    expect(findUnsafe(markup)).toEqual([])
    return { ...shown, text: textOf(shown.html) }
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' },
}

function textOf(html: string): string {
  const [, main = html] = /<main[^>]*>(.*)<\/main>/s.exec(html) ?? []
  return main
    .replaceAll(/\s+/g, ' ')
    .replaceAll('</tr>', '\n')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity] ?? entity)
    .replaceAll(/ +/g, ' ')
}
