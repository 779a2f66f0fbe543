import { showTime } from '../core/words.ts'
import { readOnly } from '../store/read-only.ts'
import type { Check } from './check.ts'
import { ok, warning } from './finding.ts'
import { readClocks } from './round-trip.ts'

/** How far this machine's clock is from the database's. */
export const clock: Check = {
  name: 'clock',
  group: 'Connection',
  notEmbedded: 'The embedded database goes by the clock of this machine.',
  async run({ store, limits }) {
    const { aheadMs, roundTripMs } = await readOnly(store, (tx) => readClocks(store, tx))
    // The answer may have been given at any moment of the round trip.
    const apartMs = Math.max(0, Math.abs(aheadMs) - roundTripMs / 2)
    const details = { aheadMs: Math.round(aheadMs), roundTripMs: Number(roundTripMs.toFixed(3)) }
    if (apartMs <= limits.clockMs) {
      return [
        ok(`The clocks of the database and of this machine agree to ${near(apartMs)}.`, details),
      ]
    }
    const direction = aheadMs > 0 ? 'ahead of' : 'behind'
    const message = `The database's clock is ${showTime(apartMs)} ${direction} that of this machine.`
    return [warning(message, REMEDY, details)]
  },
}

const REMEDY =
  'Set both by NTP. Jobs go by the database alone, so none is lost or stuck for it; but logs of the two sides do not ' +
  'fit together, and a runAt that this machine calculates is off by as much. A delay is not.'

function near(ms: number): string {
  return showTime(Math.max(1, Math.ceil(ms)))
}
