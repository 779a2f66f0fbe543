import path from 'node:path'

const KINDS: Readonly<Record<string, readonly string[]>> = {
  JavaScript: ['.js', '.mjs', '.cjs', '.jsx'],
  TypeScript: ['.ts', '.mts', '.cts', '.tsx'],
  'Source maps': ['.map'],
  JSON: ['.json', '.jsonc', '.json5', '.ndjson'],
  Markdown: ['.md', '.mdx', '.markdown'],
  'Web pages': ['.html', '.htm', '.css', '.scss', '.vue', '.svelte'],
  Settings: ['.yaml', '.yml', '.toml', '.ini', '.conf', '.xml', '.lock'],
  SQL: ['.sql'],
  Scripts: ['.sh', '.bash', '.ps1', '.cmd', '.bat'],
  'Other code': ['.py', '.go', '.rs', '.c', '.h', '.cc', '.cpp', '.java', '.kt', '.rb', '.php'],
  Images: ['.png', '.jpg', '.jpeg', '.gif', '.webp', '.ico', '.svg'],
  Archives: ['.gz', '.tgz', '.zip', '.tar', '.br', '.xz', '.zst'],
  Fonts: ['.woff', '.woff2', '.ttf', '.otf'],
}

const KIND_BY_EXTENSION: ReadonlyMap<string, string> = new Map(
  Object.entries(KINDS).flatMap(([kind, extensions]) => extensions.map((name) => [name, kind])),
)

/** What kind of file this is: by its name or, where that says nothing, by whether it is text. */
export function kindOf(file: string, isText: boolean): string {
  if (/\.d\.[cm]?ts$/.test(file)) return 'Declarations'
  const byName = KIND_BY_EXTENSION.get(path.extname(file).toLowerCase())
  return byName ?? (isText ? 'Plain text' : 'Binaries')
}
