// How a child of the tests speaks with its parent (test/support/child-process.ts).

/** Tells the parent something. Waits until it is on its way, so that a kill right after loses nothing. */
export function tell(type, fields = {}) {
  return new Promise((resolve) => {
    if (process.connected) process.send({ ...fields, type }, () => resolve())
    else resolve()
  })
}

/** Carries out what the parent asks for: `commands[command](payload)`. A child never outlives its parent. */
export function serve(commands) {
  process.on('message', async ({ id, command, payload }) => {
    try {
      await tell('answer', { id, result: await commands[command](payload) })
    } catch (error) {
      await tell('answer', { id, error: describeError(error) })
    }
  })
  process.on('disconnect', leave)
}

const leave = () => process.exit()

/** Lets go of the parent: from now on only the script's own doing keeps the process alive. */
export function letGo() {
  process.off('disconnect', leave)
  process.disconnect()
}

/** What JSON keeps of an error is nothing. */
export function describeError(error) {
  if (!(error instanceof Error)) return { name: 'NonError', message: String(error) }
  const { name, message, stack, code, details } = error
  return { name, message, stack, code, details }
}
