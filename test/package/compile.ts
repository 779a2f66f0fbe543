import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { root } from './tarball.ts'

/** The programs of the README in their order, those that are only to be compiled left out. */
export function readmePrograms(): string[] {
  const text = readFileSync(path.join(root, 'README.md'), 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code ?? '')
}

/**
 * Compiles files in a folder below `app`, by strict settings and nothing that spares a declaration:
 * `skipLibCheck` is off. Answers what the compiler has to say against it, and where the output is.
 */
export async function compile(
  app: string,
  name: string,
  files: Readonly<Record<string, string>>,
  compilerOptions: Readonly<Record<string, unknown>>,
): Promise<{ complaints: string; output: string }> {
  const folder = path.join(app, name)
  mkdirSync(folder, { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, file), text)
  const settings = { strict: true, skipLibCheck: false, target: 'es2023', ...compilerOptions }
  const config = {
    compilerOptions: { rootDir: '.', outDir: 'out', ...settings },
    include: ['*.ts', '*.cts'],
  }
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config))
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
  const output = path.join(folder, 'out')
  try {
    await promisify(execFile)(process.execPath, [compiler, '-p', folder])
    return { complaints: '', output }
  } catch (error) {
    return { complaints: (error as { stdout?: string }).stdout ?? String(error), output }
  }
}
