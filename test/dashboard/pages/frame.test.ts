import { createDashboard } from '../../../src/dashboard/index.ts'
import { describeEachDatabase, expect } from '../../support/fixtures.ts'
import { ASKS_FOR_PAGE, findUnsafe, visitor, visitorOf } from './arrange.ts'

const ASSETS = /(?:src|href)="([^"]*\/assets\/[^"]+)"/g

describeEachDatabase('what all pages have in common', (test) => {
  test('every file that a page names is there, below the path where it is mounted', async ({
    db,
    schema,
  }) => {
    for (const basePath of ['', '/admin/jobs']) {
      const visit = visitor(db, schema, 'admin', { basePath })
      for (const address of [`${basePath}/`, ...(basePath === '' ? [] : [basePath])]) {
        const { status, headers, html } = await visit(address)
        expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
        const named = [...html.matchAll(ASSETS)].map(([, path = '']) => path)
        expect(named.length).toBeGreaterThan(4)
        for (const path of named) {
          expect(path.startsWith(`${basePath}/assets/`)).toBe(true)
          const asset = await visit(path)
          expect([path, asset.status]).toEqual([path, 200])
          expect(asset.headers.get('cache-control')).toBe('private, max-age=31536000, immutable')
          expect(asset.headers.get('content-type')).toMatch(/^(text\/(javascript|css)|image\/svg)/)
        }
        expect(html).toContain(`href="${basePath}/workers"`)
      }
    }
  })

  test('what a script imports is there too', async ({ db, schema }) => {
    const visit = visitor(db, schema)
    const [, folder = ''] = /src="(\/assets\/[^/]+)\/app\.js"/.exec((await visit('/')).html) ?? []
    const todo = ['app.js']
    const seen = new Set<string>()
    for (const name of todo) {
      if (seen.has(name)) continue
      seen.add(name)
      const { status, html: script } = await visit(`${folder}/${name}`)
      expect([name, status]).toEqual([name, 200])
      for (const [, imported = ''] of script.matchAll(/from '\.\/([\w.-]+)'/g)) todo.push(imported)
    }
    expect(seen.size).toBeGreaterThan(5)
    expect((await visit(`${folder}/nothing.js`)).status).toBe(404)
    expect((await visit(`${folder}/..%2fassets.js`)).status).toBe(404)
  })

  test('a page runs nothing that stands in it, and is in nobody’s frame or cache', async ({
    db,
    schema,
  }) => {
    const { html, headers } = await visitor(db, schema)('/')
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(findUnsafe(html)).toEqual([])
  })

  test('who asks for a page is told as one what is wrong, and who asks the API in JSON', async ({
    db,
    schema,
  }) => {
    const visit = visitor(db, schema)
    const nowhere = await visit('/nowhere')
    expect(nowhere.status).toBe(404)
    expect(nowhere.html).toContain('<h1>Nothing is here</h1>')
    expect(nowhere.headers.get('content-security-policy')).toContain("script-src 'self'")
    const wrong = await visit('/audit?limit=0')
    expect(wrong.status).toBe(400)
    expect(wrong.html).toContain('The field &quot;limit&quot; cannot be 0')
    expect(wrong.html).not.toContain('What helps') // the sentence has it
    const ofApi = await visit('/api/queues/nowhere')
    expect([ofApi.status, ofApi.headers.get('content-type')]).toEqual([404, 'application/json'])
    const hostile = await visit(`/${encodeURIComponent('<script>alert(1)</script>')}`)
    expect(findUnsafe(hostile.html)).toEqual([])
  })

  test('nobody comes in without a role, and none sees what it may not', async ({ db, schema }) => {
    const nobody = visitorOf(createDashboard(db, { auth: () => null, schema }))
    for (const path of ['/', '/audit', '/assets/x/app.js', '/nowhere']) {
      expect([path, (await nobody(path)).status]).toEqual([path, 401])
    }
    const viewer = visitor(db, schema, 'viewer')
    expect((await viewer('/')).html).not.toContain('/audit"')
    const refused = await viewer('/audit')
    expect(refused.status).toBe(403)
    expect(refused.html).toContain('ask somebody with the role admin')
    expect((await visitor(db, schema, 'admin')('/audit')).status).toBe(200)
  })

  test('a page only reads: other methods are refused', async ({ db, schema }) => {
    const dashboard = createDashboard(db, { auth: () => 'admin', schema })
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const request = new Request('http://localhost:4000/audit', { method, headers: ASKS_FOR_PAGE })
      const { status } = await dashboard.fetch(request)
      expect([method, status]).toEqual([method, 405])
    }
  })

  test('a schema that is not there is told in words', async ({ db }) => {
    const { status, html } = await visitor(db, 'not_there')('/')
    expect(status).toBe(503)
    expect(html).toContain('not_there')
  })
})
