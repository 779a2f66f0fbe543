import { describe } from 'vitest'
import { paintFor } from '../../src/cli/terminal/paint.ts'
import { cutTo, padTo, printable, widthOf, wrapTo } from '../../src/cli/terminal/printable.ts'
import { renderTable, type Column } from '../../src/cli/terminal/table.ts'
import { showTime } from '../../src/cli/terminal/words.ts'
import { expect, test, until } from '../support/fixtures.ts'
import { stock } from './arrange.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { hasTerminals, Millrace, millrace } from './millrace.ts'

const ESCAPE = '\u001b['
/** What a usual terminal says of itself. */
const env = { TERM: 'xterm-256color' }

describe.skipIf(!hasTerminals())('on a terminal', () => {
  test('there are colours, and no line is wider', async ({ openQueue, schema }) => {
    await stock(openQueue)
    const wide = openQueue({ queueName: '水車'.repeat(40) })
    await wide.enqueue({ text: 'long '.repeat(100) })
    const ended = await millrace(['jobs', 'list'], { schema, columns: 70, env })
    expect(ended.stdout).toContain(`${ESCAPE}32mfinished`)
    // oxlint-disable-next-line no-control-regex -- colours are not seen
    const lines = ended.stdout.replaceAll(/\u001b\[\d+m/g, '').split('\r\n')
    expect(lines.length).toBeGreaterThan(6)
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(70)
  })

  test.each<Record<string, string>>([{ NO_COLOR: '1' }, { TERM: 'dumb' }])(
    'with %o there are none',
    async (env) => {
      const ended = await millrace(['--help'], { columns: 80, env })
      expect(ended.stdout).not.toContain(ESCAPE)
      const failed = await millrace(['jobs', 'show', '1'], { columns: 80, env, schema: 'none' })
      expect(failed.stdout).not.toContain(ESCAPE)
    },
  )

  test('a JSON document is indented, and has no colours', async ({ schema }) => {
    const ended = await millrace(['queues', '--json'], { schema, columns: 80, env })
    expect(ended.stdout).toBe('{\r\n  "queues": []\r\n}\r\n')
  })

  test('a watch is written over, until Ctrl-C', async ({ openQueue, schema }) => {
    await stock(openQueue)
    const watch = new Millrace(['jobs', 'watch', '--interval', '100ms'], {
      ...{ schema, env, columns: 100, isInteractive: true },
    })
    await watch.says(`Ctrl-C ends`)
    await watch.says(`${ESCAPE}5A`)
    watch.process.stdin?.write('\u0003')
    expect(await watch.ended).toMatchObject({ code: 0 })
  })
})

describe('elsewhere', () => {
  test('a watch is a line for each change, until a signal', async ({ openQueue, schema }) => {
    await stock(openQueue)
    const options = { schema, env }
    const watch = new Millrace(['jobs', 'watch', '-q', 'emails', '--interval', '100ms'], options)
    await watch.says('emails  available 1  running 0  finished 1  failed 0  cancelled 0\n')
    await openQueue({ queueName: 'emails' }).enqueue(1)
    await watch.says('emails  available 2  running 0  finished 1')
    const ended = await watch.kill('SIGTERM')
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).not.toContain(ESCAPE)
    expect(ended.stdout.trim().split('\n')).toHaveLength(2)
  })

  test('a watch outlives the database: it says so once, and then shows everything again', async ({
    openQueue,
    schema,
    databaseUrl,
  }) => {
    await stock(openQueue)
    const proxy = await startTcpProxy(databaseUrl)
    const args = ['jobs', 'watch', '-q', 'emails', '--interval', '100ms', '--json']
    const watch = new Millrace(args, { schema, databaseUrl: proxy.url })
    try {
      await watch.says('"queue":"emails"')
      proxy.pointTo('postgres://127.0.0.1:1/nothing')
      proxy.cut()
      await watch.says('"error":"')
      proxy.pointTo(databaseUrl)
      const seen = () => watch.stdout.split('"queue":"emails"').length - 1
      await until(() => seen() === 2)
    } finally {
      await watch.kill('SIGTERM')
      await proxy.close()
    }
    expect(watch.stdout.split('"error":"')).toHaveLength(2)
  })

  test('a watch in JSON is a document in each line', async ({ openQueue, schema }) => {
    await stock(openQueue)
    const watch = new Millrace(['jobs', 'watch', '--json'], { schema })
    await watch.says('"queue":"reports"')
    const { stdout } = await watch.kill('SIGINT')
    const [first] = stdout.split('\n')
    expect(JSON.parse(first ?? '')).toEqual({
      at: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
      queue: 'emails',
      counts: { available: 1, running: 0, finished: 1, failed: 0, cancelled: 0 },
      isExact: true,
      longestWaitMs: expect.any(Number) as unknown,
    })
  })
})

describe('what is printed', () => {
  test('does nothing to a terminal', () => {
    expect(printable('a\u001b[2Jb\nc\u009bd\u202ee\u2028f')).toBe('a·[2Jb·c·d·e·f')
  })

  test('is as wide as it is drawn', () => {
    const widths: [string, number][] = [
      ['mill', 4],
      ['水車', 4],
      ['e\u0301', 1],
      ['👩‍👩‍👧', 2],
      ['ｶ', 1],
      ['ﾊﾞ', 1],
      ['Ａ', 2],
      ['한국', 4],
    ]
    for (const [text, width] of widths)
      expect({ text, width: widthOf(text) }).toEqual({ text, width })
  })

  test('is cut and filled by columns', () => {
    expect(cutTo('水車小屋', 6)).toBe('水車…')
    expect(cutTo('mill', 4)).toBe('mill')
    expect(cutTo('mill', 3)).toBe('mi…')
    expect(padTo('水', 4)).toBe('水  ')
    expect(padTo('7', 3, 'right')).toBe('  7')
  })

  test('is broken between words', () => {
    expect(wrapTo('the mill turns', 8)).toEqual(['the mill', 'turns'])
    expect(wrapTo('a 水車小屋 b', 6)).toEqual(['a', '水車小屋', 'b'])
    expect(wrapTo('one line', Infinity)).toEqual(['one line'])
    expect(wrapTo('', 5)).toEqual([''])
  })

  test('in a table gives way where it may', () => {
    const columns: Column<string[]>[] = [
      { title: 'id', text: ([id = '']) => id, align: 'right' },
      { title: 'text', text: ([, text = '']) => text, isElastic: true },
      { title: 'more', text: ([, , more = '']) => more, isElastic: true },
    ]
    const rows = [
      ['1', 'long text here', 'and another'],
      ['22', 'short', ''],
    ]
    const paint = paintFor({})
    expect(renderTable(columns, rows, { width: Infinity, paint })).toEqual([
      'id  text            more',
      ' 1  long text here  and another',
      '22  short           ',
    ])
    expect(renderTable(columns, rows, { width: 26, paint })).toEqual([
      'id  text            more',
      ' 1  long text here  and a…',
      '22  short           ',
    ])
    expect(renderTable(columns, rows, { width: 20, paint })[1]).toBe(' 1  long te…  and a…')
  })

  test('times are said as people say them', () => {
    const times: [number, string][] = [
      [12, '12 ms'],
      [4_200, '4.2 s'],
      [83_000, '1 min 23 s'],
      [7_260_000, '2 h 1 min'],
      [86_400_000 * 3, '3 days'],
    ]
    for (const [ms, text] of times) expect(showTime(ms)).toBe(text)
  })
})
