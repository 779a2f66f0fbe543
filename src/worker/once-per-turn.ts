/** Does something at the end of a turn of the event loop, once however often it was asked for in that turn. */
export class OncePerTurn {
  readonly #action: () => void
  #isAsked = false

  constructor(action: () => void) {
    this.#action = action
  }

  ask(): void {
    if (this.#isAsked) return
    this.#isAsked = true
    setImmediate(() => {
      this.#isAsked = false
      this.#action()
    })
  }
}
