import {
  diag,
  propagation,
  ROOT_CONTEXT,
  type Context,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
} from '@opentelemetry/api'
import type { Metadata } from '../core/metadata.ts'

/** What carries a context: the global propagator, or one of the user's. */
type Propagator = Pick<TextMapPropagator, 'inject' | 'extract'>

/** Metadata is anybody's: what is not text is as if it were not there. */
const GETTER: TextMapGetter<Metadata> = {
  keys: (metadata) => Object.keys(metadata),
  get: (metadata, key) => {
    const value = Object.hasOwn(metadata, key) ? metadata[key] : undefined
    return typeof value === 'string' ? value : undefined
  },
}

const SETTER: TextMapSetter<Metadata> = {
  set: (metadata, key, value) => {
    metadata[key] = value
  },
}

/**
 * Carries a context in a job's metadata. A propagator that throws costs the trace, never the job; as
 * everything that OpenTelemetry cannot do it is told to its own `diag` logger.
 */
export class Carrier {
  readonly #propagator: Propagator

  constructor(propagator: TextMapPropagator | undefined) {
    this.#propagator = propagator ?? propagation // which looks for the global one at each call
  }

  /** The context that the metadata carries. Nothing of the context around: that may be another job's. */
  read(metadata: Metadata): Context {
    try {
      return this.#propagator.extract(ROOT_CONTEXT, metadata, GETTER)
    } catch (error) {
      diag.error('millrace: the context in the metadata of a job cannot be read', error)
      return ROOT_CONTEXT
    }
  }

  /** Adds the context to the metadata, under the keys that the propagator writes. */
  write(context: Context, metadata: Metadata): void {
    try {
      this.#propagator.inject(context, metadata, SETTER)
    } catch (error) {
      diag.error('millrace: the context cannot be written into the metadata of a job', error)
    }
  }
}
