import { execFileSync, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { findPostgres } from '../support/postgres-binaries.ts'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { millrace, type MillraceOptions } from './millrace.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

/** A certificate that speaks for `localhost` and signs itself, where the server may read it. */
function makeCertificate(): { certificate: string; key: string } {
  const folder = fs.mkdtempSync(path.join(inject('scratchFolder'), 'ssl-'))
  const [certificate, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const made = ['-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', certificate]
  execFileSync('openssl', ['req', '-x509', ...made, ...subject], { stdio: 'ignore' })
  const { user } = findPostgres()
  for (let at = folder; at !== path.dirname(inject('scratchFolder')); at = path.dirname(at)) {
    fs.chmodSync(at, 0o755)
  }
  if (user !== undefined) fs.chownSync(key, user.uid, user.gid)
  fs.chmodSync(key, 0o600)
  return { certificate, key }
}

describe.skipIf(!hasOpenssl)('a server with SSL', () => {
  let server: PostgresServer
  let certificate = ''

  beforeAll(async () => {
    const made = makeCertificate()
    certificate = made.certificate
    const settings = { ssl: true, ssl_cert_file: certificate, ssl_key_file: made.key }
    server = await startPostgres({ settings })
    const rules = path.join(server.dataFolder, 'pg_hba.conf')
    fs.writeFileSync(rules, fs.readFileSync(rules, 'utf8').replaceAll(/^host /gm, 'hostssl '))
    await server.restart()
  }, 60_000)

  afterAll(() => server.remove())

  /** Whether there is a schema is asked of a database: so exit code 4 means that it could be asked. */
  async function ask(change: (url: URL) => void, options: MillraceOptions = {}) {
    const url = new URL(server.url)
    url.hostname = 'localhost'
    change(url)
    const asked = await millrace(['migrate', 'status'], { databaseUrl: url.href, ...options })
    expect(asked.stderr).not.toContain(url.password)
    expect(asked.stderr).not.toContain('Warning')
    return asked
  }

  test('lets in whoever encrypts, and is not let down by who does not', async () => {
    expect(await ask((url) => url.searchParams.set('sslmode', 'no-verify'))).toMatchObject({
      ...{ code: 4, stderr: '' },
    })
    const plain = await ask(() => {})
    expect(plain.code).toBe(1)
    expect(plain.stderr).toMatch(
      /^The server at localhost:\d+ does not let postgres in \(28000\): it wants SSL; put sslmode=verify-full or sslmode=no-verify into DATABASE_URL, or set PGSSLMODE\.\n$/,
    )
  })

  test.each(['prefer', 'require', 'verify-ca', 'verify-full'])(
    'is believed with sslmode=%s when its certificate is trusted, and only then',
    async (mode) => {
      const trusted = await ask((url) => {
        url.searchParams.set('sslmode', mode)
        url.searchParams.set('sslrootcert', certificate)
      })
      expect(trusted).toMatchObject({ code: 4, stderr: '' })
      const unknown = await ask((url) => url.searchParams.set('sslmode', mode))
      expect(unknown.code).toBe(1)
      expect(unknown.stderr).toMatch(
        /^The certificate of the server at localhost:\d+ is not accepted \(DEPTH_ZERO_SELF_SIGNED_CERT\): self-signed certificate\. Name its authority by sslrootcert=<file> in the URL, or use sslmode=no-verify to encrypt without knowing to whom\.\n$/,
      )
    },
  )

  test('is not believed under another name', async () => {
    const other = await ask((url) => {
      url.hostname = '127.0.0.1'
      url.searchParams.set('sslmode', 'verify-full')
      url.searchParams.set('sslrootcert', certificate)
    })
    expect(other.code).toBe(1)
    expect(other.stderr).toContain('is not accepted (ERR_TLS_CERT_ALTNAME_INVALID)')
  })

  test('is reached by PGSSLMODE too, beside a URL or the other variables', async () => {
    expect((await ask(() => {}, { env: { PGSSLMODE: 'no-verify' } })).code).toBe(4)
    const { password, port } = new URL(server.url)
    const env = { PGHOST: 'localhost', PGPORT: port, PGUSER: 'postgres', PGPASSWORD: password }
    const variables = { databaseUrl: null, env: { ...env, PGSSLMODE: 'no-verify' } }
    expect(await ask(() => {}, variables)).toMatchObject({ code: 4, stderr: '' })
    const strict = { databaseUrl: null, env: { ...env, PGSSLMODE: 'require' } }
    expect((await ask(() => {}, strict)).stderr).toContain('is not accepted')
  })

  test('is reached through its socket', async () => {
    const { password } = new URL(server.url)
    const databaseUrl = `postgres://postgres:${password}@/postgres?host=${server.socketFolder}&port=${server.port}`
    const asked = await ask(() => {}, { databaseUrl })
    expect(asked).toMatchObject({ code: 4, stderr: '' })
    expect(asked.stdout).toContain(`the database postgres on the socket in ${server.socketFolder}`)
  })
})
