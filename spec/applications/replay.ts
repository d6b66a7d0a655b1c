/** Says an application's requests again, in their order, each over the connection that it has in the file. */
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import type { SaidRequest } from './conversation.ts'

/** By which the ambassador, or a Redis Cluster, refuses what one Redis takes. */
const REFUSAL = /^-(?:CROSSSLOT|EXECABORT|ERR ambassador: command|ERR .* in cluster mode)/

export function isRefusal(reply: string): boolean {
  return REFUSAL.test(reply)
}

/** How long a command that blocks waits when it is said again: nobody pushes meanwhile. */
const WAIT_SECONDS = '0.01'
const WAIT_MS = '10'

/** The time-out is the last argument. */
const WAITS_LAST = /^(?:BLPOP|BRPOP|BLMOVE|BRPOPLPUSH|BZPOPMIN|BZPOPMAX)$/i
/** The time-out is the first argument. */
const WAITS_FIRST = /^(?:BLMPOP|BZMPOP)$/i
const WAITS_BY_OPTION = /^(?:XREAD|XREADGROUP)$/i

const MESSAGE = /^[*>]\d+\r\n\$\d+\r\np?message\r\n/
const SUBSCRIBES = /^p?subscribe$/i
const UNSUBSCRIBES = /^(?<kind>p?)unsubscribe$/i

export class Replay {
  readonly #port: number
  readonly #greeting: readonly string[] | undefined
  readonly #clients = new Map<number, Voice>()

  /** `greeting`: what each connection says first. */
  constructor(port: number, greeting?: readonly string[]) {
    this.#port = port
    this.#greeting = greeting
  }

  /** Resolves with the reply: of the first channel, where a request has a reply for each. */
  async say({ connection, words }: SaidRequest): Promise<string> {
    let voice = this.#clients.get(connection)
    if (voice === undefined) {
      voice = new Voice(await connectRaw(this.#port))
      this.#clients.set(connection, voice)
      if (this.#greeting !== undefined) await voice.say(this.#greeting)
    }
    return voice.say(impatient(words))
  }

  async close(): Promise<void> {
    for (const voice of this.#clients.values()) await voice.client.close()
  }
}

class Voice {
  readonly client: RawClient
  /** Channels, and patterns behind a `p`. */
  readonly #topics = new Set<string>()

  constructor(client: RawClient) {
    this.client = client
  }

  async say(words: readonly string[]): Promise<string> {
    const count = this.#repliesTo(words)
    const first = await this.#reply(words)
    if (first.startsWith('-')) return first
    for (let more = count - 1; more > 0; more--) await this.#next()
    return first
  }

  #reply(words: readonly string[]): Promise<string> {
    this.client.write(encoded(words))
    return this.#next()
  }

  /** What is no message. */
  async #next(): Promise<string> {
    for (;;) {
      const reply = (await this.client.reply()).toString('latin1')
      if (!MESSAGE.test(reply)) return reply
    }
  }

  #repliesTo([command = '', ...channels]: readonly string[]): number {
    if (SUBSCRIBES.test(command)) {
      const kind = command.length > 'subscribe'.length ? 'p' : ''
      for (const channel of channels) this.#topics.add(`${kind}:${channel}`)
      return channels.length
    }
    const kind = UNSUBSCRIBES.exec(command)?.groups?.['kind']?.toLowerCase()
    if (kind === undefined) return 1
    const own = [...this.#topics].filter((topic) => topic.startsWith(`${kind}:`))
    const left = channels.length === 0 ? own : channels.map((channel) => `${kind}:${channel}`)
    for (const topic of left) this.#topics.delete(topic)
    return Math.max(left.length, 1)
  }
}

function encoded(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
}

function impatient(words: readonly string[]): readonly string[] {
  const [command = ''] = words
  if (WAITS_LAST.test(command)) return words.with(-1, WAIT_SECONDS)
  if (WAITS_FIRST.test(command)) return words.with(1, WAIT_SECONDS)
  const block = WAITS_BY_OPTION.test(command)
    ? words.findIndex((word) => /^block$/i.test(word))
    : -1
  return block === -1 ? words : words.with(block + 1, WAIT_MS)
}
