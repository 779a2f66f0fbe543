/*
 * Image thumbnails: work that keeps a core busy runs in a thread of its own. The event loop stays
 * free for the heartbeat (a process whose loop is blocked for longer than its lease is taken for
 * dead), and a run that takes too long is really ended: its thread is terminated.
 *
 *   DATABASE_URL=postgres://localhost/test node examples/image-thumbnails.ts [folder]
 *
 * It scales PPM pictures down and writes PNGs, with nothing but Node. Without a folder it makes one
 * in the temporary directory, with three pictures, one of them broken. In earnest you would start a
 * few threads once and keep them; a thread costs some 30 ms to start.
 */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { crc32, deflateSync } from 'node:zlib'
import pg from 'pg'
import { Discard, JobQueue, migrateUp, RetryPolicy } from 'millrace'

/** The job says where the picture is. The picture itself does not belong into the database. */
interface Thumbnail {
  file: string
  width: number
}

type Answer = { size: string } | { problem: string }

if (isMainThread) await main()
else parentPort?.postMessage(makeThumbnail(workerData as Thumbnail))

async function main(): Promise<void> {
  const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
  await migrateUp(db)
  const quiet = { debug() {}, info() {}, warn() {}, error() {} } // the lines at the end say it all
  const thumbnails = new JobQueue<Thumbnail, string>(
    db,
    async (job, { signal }) => {
      const answer = await inThread(job.args, signal)
      if ('problem' in answer) throw new Discard(answer.problem) // it will be as broken next time
      return answer.size
    },
    { queueName: 'thumbnails', logger: quiet },
  )
  const folder = process.argv[2] ?? makePictures()
  const files = readdirSync(folder).filter((file) => file.endsWith('.ppm'))
  const jobs = await thumbnails.enqueueMany(
    files.map((file) => ({
      args: { file: path.join(folder, file), width: 64 },
      timeout: '1m',
      retryPolicy: RetryPolicy.Constant,
    })),
  )
  await thumbnails.drain({ concurrency: availableParallelism() }) // more would only queue up
  for (const { id, args } of jobs) {
    const job = await thumbnails.get(id)
    const what = job?.status === 'finished' ? job.result : job?.errors[0]?.message
    console.log(`${path.basename(args.file)}: ${job?.status}, ${what}`)
  }
  await db.end()
}

/** Runs this very file in a thread. When `signal` aborts, the thread ends in the middle of its work. */
async function inThread(job: Thumbnail, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted()
  const thread = new Worker(new URL(import.meta.url), { workerData: job })
  const end = (): void => void thread.terminate()
  signal.addEventListener('abort', end, { once: true })
  try {
    return await new Promise<Answer>((resolve, reject) => {
      thread.once('message', resolve)
      thread.once('error', reject)
      thread.once('exit', () => {
        reject(signal.aborted ? (signal.reason as Error) : new Error('The thread ended early.'))
      })
    })
  } finally {
    signal.removeEventListener('abort', end)
  }
}

function makeThumbnail({ file, width: wanted }: Thumbnail): Answer {
  const bytes = readFileSync(file)
  const header = /^P6\s(\d+)\s(\d+)\s255\s/.exec(bytes.toString('latin1', 0, 64))
  if (header === null) return { problem: `It is no PPM picture.` }
  const [width, height] = [Number(header[1]), Number(header[2])]
  const pixels = bytes.subarray(header[0].length)
  const scale = Math.max(1, width / wanted)
  const [w, h] = [Math.round(width / scale), Math.round(height / scale)]
  const rows = Buffer.alloc(h * (1 + w * 3)) // a row of a PNG begins with its filter, 0
  for (let y = 0; y < h; y += 1) {
    for (let x = 0; x < w * 3; x += 1) {
      const from = (Math.floor(y * scale) * width + Math.floor(Math.floor(x / 3) * scale)) * 3
      rows[y * (1 + w * 3) + 1 + x] = pixels[from + (x % 3)] ?? 0
    }
  }
  const size = Buffer.from([0, 0, w >> 8, w & 255, 0, 0, h >> 8, h & 255, 8, 2, 0, 0, 0])
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  const parts = [chunk('IHDR', size), chunk('IDAT', deflateSync(rows)), chunk('IEND')]
  writeFileSync(file.replace(/\.ppm$/, '.png'), Buffer.concat([signature, ...parts]))
  return { size: `${w} x ${h}` }
}

function chunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const whole = Buffer.concat([Buffer.alloc(4), Buffer.from(type), data, Buffer.alloc(4)])
  whole.writeUInt32BE(data.length, 0)
  whole.writeUInt32BE(crc32(whole.subarray(4, -4)), whole.length - 4)
  return whole
}

function makePictures(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'thumbnails-'))
  const picture = (w: number, h: number) =>
    Buffer.concat([Buffer.from(`P6\n${w} ${h}\n255\n`), Buffer.alloc(w * h * 3, 'millrace')])
  writeFileSync(path.join(folder, 'broad.ppm'), picture(640, 320))
  writeFileSync(path.join(folder, 'broken.ppm'), 'not a picture')
  writeFileSync(path.join(folder, 'small.ppm'), picture(32, 32))
  return folder
}
