import { showNumber } from '../core/show.ts'
import { Refusal } from './refusal.ts'

const IS_JSON = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i

/**
 * The JSON that a request carries; `{}` when it carries nothing. The content type must say JSON even then: a form of
 * another site's page cannot say that without asking first.
 */
export async function readBody(request: Request, maxBytes: number): Promise<unknown> {
  const { headers } = request
  const type = headers.get('content-type')
  if (type === null || !IS_JSON.test(type.trim())) throw notJson('Content-Type', type)
  const encoding = headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity') throw notJson('Content-Encoding', encoding)
  if (Number(headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const text = await readText(request, maxBytes)
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal(400, 'INVALID_JSON', 'The body is no JSON.', { field: 'body' })
  }
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  if (request.body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw tooLarge(maxBytes) // leaving the loop cancels the rest
    chunks.push(chunk)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new Refusal(400, 'INVALID_JSON', 'The body is not UTF-8.', { field: 'body' })
  }
}

function notJson(field: string, value: string | null): Refusal {
  const remedy =
    field === 'Content-Type' ? 'send Content-Type: application/json' : 'send it uncompressed'
  return new Refusal(
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    `What changes something carries JSON; ${remedy}.`,
    {
      field,
      value: value?.slice(0, 300) ?? null,
      remedy,
    },
  )
}

function tooLarge(maxBytes: number): Refusal {
  const message = `The body is larger than ${showNumber(maxBytes)} bytes.`
  const remedy = 'send less at once, or raise maxBodyBytes'
  // The rest of it is not read: the connection cannot be used again.
  return new Refusal(413, 'BODY_TOO_LARGE', message, { remedy, headers: { connection: 'close' } })
}
