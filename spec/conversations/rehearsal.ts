/** A conversation with the plain Redis, turn by turn: it shows how it should be. */
import { encodeRequest } from '../support/frames.ts'
import { type Censor, ENDLESS, leaves, type Piece, piecesOf, type Turn } from './conversation.ts'
import type { Observer, Voice } from './voices.ts'

export type Both<T> = readonly [T, T]

export const BOTH = [0, 1] as const

/** How it should be at some moment. */
export interface Moment {
  readonly heard: Both<string>
  /** Who has said what ends the connection. */
  readonly left: Both<boolean>
  /** How many wait without end. */
  readonly waiting: number
}

/** A turn as it was held, and how it was after it. */
export interface Scene extends Turn, Moment {
  readonly pieces: readonly Piece[]
}

export class Rehearsal {
  readonly scenes: Scene[] = []
  readonly #voices: Both<Voice>
  readonly #observer: Observer
  readonly #censor: Censor
  readonly #left: [boolean, boolean] = [false, false]
  /** Who waits without end, and says nothing more meanwhile. */
  readonly #stuck: [boolean, boolean] = [false, false]
  /** Whoever cannot be heard goes on speaking: nobody else could know that it was understood. */
  #inaudible: 0 | 1 | undefined
  #waiting = 0

  constructor(voices: Both<Voice>, observer: Observer, censor: Censor) {
    this.#voices = voices
    this.#observer = observer
    this.#censor = censor
  }

  get now(): Moment {
    const [a, b] = this.#voices
    return { heard: [a.heard, b.heard], left: [...this.#left], waiting: this.#waiting }
  }

  /** Holds the turn, by the other client where the one who should cannot speak. */
  async hold(turn: Turn): Promise<void> {
    const who = this.#inaudible ?? (this.#stuck[turn.who] ? other(turn.who) : turn.who)
    if (this.#left[who] || this.#stuck[who]) return
    this.#inaudible = undefined
    this.#left[who] = leaves(turn.requests)
    const waitingBefore = this.#waiting
    const said = { ...turn, who, requests: this.#censor.pass(who, turn.requests, who !== turn.who) }
    const pieces = piecesOf(said)
    await this.#voices[who].say(pieces)
    await this.settle()
    if (this.#left[who]) {
      // Redis forgets to close a connection that is owed nothing, and goes on counting it among subscribers.
      await this.#voices[who].leave()
      await this.settle()
    }
    if (this.#waiting > waitingBefore) this.#stuck[who] = true
    else if (this.#waiting < waitingBefore) this.#stuck[other(who)] = false
    if (!this.#left[who] && !this.#stuck[who]) pieces.push(...(await this.#lastWords(who)))
    this.scenes.push({ ...said, pieces, ...this.now })
  }

  /** Until nothing more happens. */
  async settle(): Promise<void> {
    for (;;) {
      const before = this.now.heard.join()
      await this.#observer.round()
      const waits = await this.#observer.waits()
      this.#waiting = waits.length
      const isEndless = waits.every((command) => command === ENDLESS)
      if (isEndless && this.now.heard.join() === before) return
    }
  }

  /** Something that is answered, so that all before it has been; the first reply may be skipped. */
  async #lastWords(who: 0 | 1): Promise<Piece[]> {
    const words: Piece[] = []
    this.#inaudible = who
    while (words.length < 2 && this.#inaudible !== undefined) {
      const before = this.#voices[who].heard
      const word = { bytes: encodeRequest('PING', `turn ${this.scenes.length}`), pause: 0 }
      words.push(word)
      await this.#voices[who].say([word])
      await this.settle()
      if (this.#voices[who].heard !== before) this.#inaudible = undefined
    }
    return words
  }
}

function other(who: 0 | 1): 0 | 1 {
  return who === 0 ? 1 : 0
}
