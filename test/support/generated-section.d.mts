/** Replaces what stands between `<!-- name -->` and `<!-- /name -->` in a file of the project. */
export function writeSection(file: string, name: string, content: string): void
