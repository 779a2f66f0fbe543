/**
 * Thrown by a worker to say that no retry will help: the job fails now, or goes to the dead-letter
 * queue, with the message in its errors.
 */
export class Discard extends Error {
  override readonly name = 'Discard'

  constructor(message = 'Discarded by its worker', options?: ErrorOptions) {
    super(message, options)
  }
}
