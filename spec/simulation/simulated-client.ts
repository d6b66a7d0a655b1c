/** A client that knows what it may be told: asks, and checks every byte that it gets. */
import { encodeRequest, endOfFrame } from '../support/frames.ts'
import { GrowingBytes } from '../support/growing-bytes.ts'
import type { Random } from '../support/random.ts'
import { effectsOf, expectedReply, keyFor, shardOf } from './commands.ts'
import type { SimulatedConnection } from './simulated-connection.ts'
import type { SimulatedSession } from './simulated-session.ts'

/** Sizes of values and of requests around what the buffers of the data path hold. */
const VALUE_BYTES = [0, 1, 30, 90, 300, 520, 2000]
const LARGE_VALUE_BYTES = [5000, 17_000, 70_000, 140_000]
const PADDING_BYTES = [0, 0, 0, 0, 0, 0, 0, 0, 200, 200, 5000, 20_000]

interface Question {
  readonly text: string
  readonly reply: string
  /** All that shards do for it. */
  readonly effects: readonly string[]
  readonly shards: readonly number[]
}

/** What a client was told about a question whose effects are known only at the end. */
interface Claim extends Question {
  readonly executed: 'yes' | 'no' | 'maybe'
}

export class SimulatedClient {
  readonly id: number
  readonly session: SimulatedSession
  /** Bytes on their way to the session. */
  readonly outgoing = new GrowingBytes()
  readonly claims: Claim[] = []
  readonly #connections: readonly SimulatedConnection[]
  readonly #received = new GrowingBytes()
  #questions: Question[] = []
  #sequence = 0

  constructor(id: number, session: SimulatedSession, connections: readonly SimulatedConnection[]) {
    this.id = id
    this.session = session
    this.#connections = connections
  }

  /** Replies that are owed. */
  get waitingFor(): number {
    return this.#questions.length
  }

  ask(random: Random): void {
    const count = this.#connections.length
    const name = random.pick(['GET', 'GET', 'GET', 'GET', 'MGET', 'MGET', 'KEYS', 'PING'])
    const keys = this.#keys(random, name)
    const args = [name, ...keys]
    const shards = name === 'KEYS' ? [...this.#connections.keys()] : keys.map(shardOf)
    const effects = name === 'PING' ? [] : shards.flatMap((shard) => effectsOf(args, shard))
    const reply = expectedReply(args, count)
    this.#questions.push({ text: args.join(' '), reply, effects: [...new Set(effects)], shards })
    const padding = name === 'GET' ? random.pick(PADDING_BYTES) : 0
    this.outgoing.append(encodeRequest(...args, ...(padding > 0 ? ['p'.repeat(padding)] : [])))
  }

  #keys(random: Random, name: string): string[] {
    const sequence = ++this.#sequence
    const shardCount = this.#connections.length
    const count = name === 'MGET' ? random.integer(1, 8) : 1
    const keys = Array.from({ length: count }, (_, i) => {
      const sizes = random.integer(0, 30) === 0 ? LARGE_VALUE_BYTES : VALUE_BYTES
      const size = random.pick(sizes) + i
      return keyFor(this.id, sequence, random.integer(0, shardCount), size)
    })
    // A key twice would be done twice, which is right, and is not what is looked for here.
    return [...new Set(keys)]
  }

  receive(bytes: Buffer): void {
    this.#received.append(bytes)
    while (this.#received.length > 0) {
      const end = endOfFrame(this.#received.peek(), 0)
      if (end === undefined) return
      this.#check(this.#received.take(end).toString('latin1'))
    }
  }

  #check(reply: string): void {
    const question = this.#questions.shift()
    if (question === undefined) throw new Error(`client ${this.id} got unasked ${start(reply)}`)
    if (reply === question.reply) {
      this.claims.push({ ...question, executed: 'yes' })
      return
    }
    if (!this.#mayFailWith(question, reply)) {
      const wrong = `${start(reply)} instead of ${start(question.reply)}`
      throw new Error(`client ${this.id} got for ${start(question.text)}: ${wrong}`)
    }
    const executed = reply.includes('(not sent)') ? 'no' : 'maybe'
    this.claims.push({ ...question, executed })
  }

  #mayFailWith(question: Question, reply: string): boolean {
    return question.shards.some((shard) => {
      const { unavailable, lost, timedOut } = this.#connections[shard]?.errors ?? {}
      const others = unavailable?.frame.toString().replace('not sent', 'may have executed')
      return (
        [unavailable, lost, timedOut].some((error) => reply === error?.frame.toString()) ||
        (reply === others && question.effects.length > 1)
      )
    })
  }

  /** After all is quiet: what was claimed about effects is what came about. */
  checkClaims(done: (effect: string) => number): void {
    for (const { text, executed, effects } of this.claims) {
      const times = effects.map(done)
      if (executed === 'yes' && times.some((n) => n !== 1)) throw new Error(`not done: ${text}`)
      if (executed === 'no' && times.some((n) => n !== 0)) throw new Error(`done, though: ${text}`)
    }
  }
}

function start(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
