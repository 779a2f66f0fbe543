import { loadAssets } from './assets.ts'
import type { AnsweredFailure } from './failures.ts'
import { PAGE_HEADERS } from './guards.ts'
import { renderFailure } from './pages/layout.tsx'
import { Links } from './pages/links.ts'

/** Whether a browser asks for a page: then what is wrong is told as one. */
export function isForPerson(request: Request, basePath: string): boolean {
  const { pathname } = new URL(request.url)
  const isOfApi = pathname.startsWith(`${basePath}/api/`)
  return !isOfApi && request.method === 'GET' && accepts(request, 'text/html')
}

function accepts({ headers }: Request, type: string): boolean {
  return headers.get('accept')?.includes(type) ?? false
}

const TITLES: Readonly<Record<number, string>> = {
  401: 'Who are you?',
  403: 'Not for you',
  404: 'Nothing is here',
  503: 'Not now',
}

export async function answerPage(failure: AnsweredFailure, basePath: string): Promise<Response> {
  const { status, headers, body } = failure
  const { message, remedy } = body.error
  // What is wrong with a field is said with what it takes.
  const isSaid = remedy === undefined || message.includes(remedy)
  const lines = isSaid ? [message] : [message, `What helps: ${remedy}.`]
  const title = TITLES[status] ?? 'That did not work'
  const { version } = await loadAssets()
  const html = renderFailure(title, lines, new Links(basePath), version)
  return new Response(html, { status, headers: { ...PAGE_HEADERS, ...headers } })
}
