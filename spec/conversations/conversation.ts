/** One conversation: two clients take turns, and each turn is some requests, cut somewhere. */
import { randomChunking } from '../support/chunks.ts'
import { encodeRequest } from '../support/frames.ts'
import { createRandom, type Random } from '../support/random.ts'
import { Phrases, type Vocabulary } from './phrases.ts'

export interface Turn {
  /** Which of the two clients speaks. */
  readonly who: 0 | 1
  readonly requests: readonly Buffer[]
  /** Where the bytes are cut, and how long the client waits at each cut. */
  readonly cutSeed: number
}

/** Most requests in one turn. */
const REQUESTS_MAX = 10
const TURNS_MAX = 9
const CUTS_MAX = 5

/** Of a request in a report, characters. */
const LINE_MAX = 200

/** One in so many turns ends in a wait that only the other client can end. */
const ENDLESS_WAITS = 12

/** The one command that waits without end, so that it can be told from the others. */
export const ENDLESS = 'brpoplpush'

export function makeConversation(seed: number, vocabulary: Vocabulary): Turn[] {
  const random = createRandom(seed)
  const style = Phrases.style(random)
  const phrases = [
    new Phrases(random, vocabulary, style, 'a', 'b'),
    new Phrases(random, vocabulary, style, 'b', 'a'),
  ] as const
  const turns: Turn[] = []
  const count = random.integer(1, TURNS_MAX + 1)
  for (let i = 0; i < count; i++) {
    const who = random.pick([0, 0, 1] as const)
    const requests = said(random, phrases[who])
    const waits = !leaves(requests) && random.integer(0, ENDLESS_WAITS) === 0
    const queue = `${vocabulary.tag}q`
    if (waits) {
      // What is behind the wait runs at the same time as what the other says then.
      const behind = Array.from({ length: random.integer(0, 4) }, () => {
        return phrases[who].nextForItself()
      })
      requests.push(encodeRequest(ENDLESS, queue, queue, '0'), ...behind)
    }
    turns.push({ who, requests, cutSeed: random.integer(0, 1_000_000) })
    if (waits) {
      const push = encodeRequest('RPUSH', queue, 'element')
      turns.push({ who: who === 0 ? 1 : 0, requests: [push], cutSeed: 0 })
    }
  }
  return turns
}

function said(random: Random, phrases: Phrases): Buffer[] {
  const requests: Buffer[] = []
  const count = random.integer(1, REQUESTS_MAX + 1)
  while (requests.length < count && !leaves(requests)) requests.push(phrases.next())
  return requests
}

/** The last of the requests ends the connection. */
export function leaves(requests: readonly Buffer[]): boolean {
  const last = requests.at(-1)
  return last !== undefined && Phrases.isFarewell(last)
}

export interface Piece {
  readonly bytes: Buffer
  /** Turns of the event loop before the next piece follows. */
  readonly pause: number
}

/** The bytes of a turn as they are written. */
export function piecesOf({ requests, cutSeed }: Turn): Piece[] {
  const random = createRandom(cutSeed)
  const { chunks } = randomChunking(Buffer.concat(requests), random, cutSeed === 0 ? 0 : CUTS_MAX)
  return chunks.map((bytes) => ({ bytes, pause: random.pick([0, 0, 1, 2, 5]) }))
}

/** Where the two differ, and may. */
export interface Exceptions {
  /** In what is heard. Global patterns. */
  readonly alike: readonly Exception[]
  /** What is never said, or not in a transaction. */
  readonly never: readonly Exception[]
  readonly inTransactions: readonly Exception[]
}

export interface Exception {
  readonly pattern: RegExp
  readonly reason: string
}

/** Says another word wherever somebody would say what is an exception. */
export class Censor {
  readonly #exceptions: Exceptions
  /** Who may be in a transaction. */
  readonly #mayQueue: [boolean, boolean] = [false, false]

  constructor(exceptions: Exceptions) {
    this.#exceptions = exceptions
  }

  /**
   * `isHandedOver`: the words are the other's. Then nothing is subscribed by them: a client with channels of
   * both names has two, and in which order a bare UNSUBSCRIBE names them is up to Redis.
   */
  pass(who: 0 | 1, requests: readonly Buffer[], isHandedOver: boolean): Buffer[] {
    return requests.map((request) => {
      const said = wordsOf(request).replace(/[\r\n]+$/, '')
      if (/^multi$/i.test(said)) this.#mayQueue[who] = true
      if (/^(exec|discard|reset)$/i.test(said)) this.#mayQueue[who] = false
      const { never, inTransactions } = this.#exceptions
      const exceptions = this.#mayQueue[who] ? [...never, ...inTransactions] : never
      const isException =
        exceptions.some(({ pattern }) => pattern.test(said)) ||
        (isHandedOver && /^s?subscribe /i.test(said))
      return isException ? encodeRequest('PING') : request
    })
  }
}

/** As a report shows it: who says what. */
export function transcriptOf(turns: readonly Turn[]): string {
  const lines = turns.flatMap(({ who, requests, cutSeed }) => [
    `${who === 0 ? 'A' : 'B'}, cut ${cutSeed}:`,
    ...requests.map((request) => `  ${JSON.stringify(wordsOf(request)).slice(0, LINE_MAX)}`),
  ])
  return lines.join('\n')
}

/** Words where it is an array of bulk strings, else the bytes. */
function wordsOf(request: Buffer): string {
  const text = request.toString('latin1')
  const words = [...text.matchAll(/\$\d+\r\n([\s\S]*?)\r\n(?=\$|$)/g)].map(([, word = '']) => word)
  return text.startsWith('*') && words.length > 0 ? words.join(' ') : text
}
