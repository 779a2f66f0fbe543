// Preloaded into a process whose clock is to be wrong by CLOCK_OFF_MS: `--import` this. Timers stay as they are.
const offMs = Number(process.env.CLOCK_OFF_MS)
const TrueDate = Date

globalThis.Date = class extends TrueDate {
  constructor(...given) {
    if (given.length === 0) super(TrueDate.now() + offMs)
    else super(...given)
  }

  static now() {
    return TrueDate.now() + offMs
  }
}
