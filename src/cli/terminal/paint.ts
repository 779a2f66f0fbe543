import { styleText } from 'node:util'

/** The looks of a text, by what they mean. */
export type Look = 'title' | 'bar' | 'good' | 'bad' | 'warning' | 'quiet'

const STYLES = {
  title: 'bold',
  bar: 'cyan',
  good: 'green',
  bad: 'red',
  warning: 'yellow',
  quiet: 'dim',
} as const satisfies Record<Look, Parameters<typeof styleText>[0]>

/** Gives a text its look, or leaves it as it is. */
export type Paint = (look: Look, text: string) => string

/** What is asked of a stream: a terminal has these, a file or a pipe has not. */
export interface MaybeTerminal {
  readonly isTTY?: boolean
  hasColors?(): boolean
}

/** Colours for a terminal that shows them; `hasColors` knows NO_COLOR and TERM=dumb, for the stream at hand. */
export function paintFor(out: MaybeTerminal): Paint {
  const isColoured = out.isTTY === true && out.hasColors?.() === true
  return isColoured
    ? (look, text) => styleText(STYLES[look], text, { validateStream: false })
    : (_look, text) => text
}
