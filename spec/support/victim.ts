/**
 * A well-behaved client that goes on with its own work while others misbehave, and counts what that
 * costs it: replies that are errors, somebody else's, or never come.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { encodeRequest, endOfFrame } from './frames.ts'
import { GrowingBytes } from './growing-bytes.ts'

export interface VictimOptions {
  readonly port: number
  /** Its keys and values bear it. */
  readonly id: string
  /** Requests in one pipeline, each for a key of its own. */
  readonly depth: number
  /** Chooses the keys; default: any, so on all shards. */
  readonly key?: (index: number) => string
}

export class Victim {
  /** Replies that were right. */
  replies = 0
  /** Requests without the right reply. */
  lost = 0
  /** What the wrong ones were: `Connection closed`, or the reply's first 80 bytes; how often. */
  readonly errors = new Map<string, number>()
  /** Duration of each pipeline, milliseconds. */
  readonly roundsMs: number[] = []
  readonly #options: VictimOptions
  readonly #requests: Buffer
  readonly #expected: readonly string[]
  #stopped = false
  #running: Promise<void> = Promise.resolve()
  #onRound: () => void = () => {}

  private constructor(options: VictimOptions) {
    this.#options = options
    const indexes = Array.from({ length: options.depth }, (_, index) => index)
    this.#requests = Buffer.concat(indexes.map((i) => encodeRequest('GET', this.#key(i))))
    this.#expected = indexes.map((index) => {
      const value = this.#value(index)
      return `$${value.length}\r\n${value}\r\n`
    })
  }

  /** Writes its keys; rejects when that fails. Then reads them, pipeline after pipeline. */
  static async start(options: VictimOptions): Promise<Victim> {
    const victim = new Victim(options)
    await victim.#write()
    victim.#running = victim.#run()
    return victim
  }

  /** Waits for a whole round that begins from now on. */
  async round(): Promise<void> {
    for (let i = 0; i < 2; i++) await new Promise<void>((resolve) => this.#nextRound(resolve))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  #nextRound(resolve: () => void): void {
    const earlier = this.#onRound
    this.#onRound = () => {
      earlier()
      resolve()
    }
  }

  #key(index: number): string {
    return this.#options.key?.(index) ?? `victim:${this.#options.id}:${index}`
  }

  /** Looks like several replies, to be noticed where it does not belong. */
  #value(index: number): string {
    return `${this.#options.id}:${index}\r\n$-1\r\n+OK\r\n`
  }

  async #write(): Promise<void> {
    const socket = connect(this.#options.port, '127.0.0.1')
    const replies = new Replies(socket)
    await once(socket, 'connect')
    for (let index = 0; index < this.#options.depth; index++) {
      socket.write(encodeRequest('SET', this.#key(index), this.#value(index)))
      const reply = await replies.next()
      if (reply !== '+OK\r\n') throw new Error(`a victim cannot begin: ${reply}`)
    }
    socket.destroy()
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const socket = connect(this.#options.port, '127.0.0.1')
      socket.setNoDelay(true)
      const replies = new Replies(socket)
      while (!this.#stopped && !replies.ended) await this.#oneRound(socket, replies)
      socket.destroy()
    }
  }

  async #oneRound(socket: Socket, replies: Replies): Promise<void> {
    const startMs = performance.now()
    socket.write(this.#requests)
    for (const expected of this.#expected) {
      const reply = await replies.next()
      if (reply === expected) this.replies++
      else this.#count(reply ?? 'Connection closed')
    }
    this.roundsMs.push(performance.now() - startMs)
    const onRound = this.#onRound
    this.#onRound = () => {}
    onRound()
  }

  #count(reply: string): void {
    this.lost++
    const error = reply.slice(0, 80).trimEnd()
    this.errors.set(error, (this.errors.get(error) ?? 0) + 1)
  }
}

/** Frames of a socket one by one. */
class Replies {
  ended = false
  readonly #received = new GrowingBytes()
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    socket.on('data', (bytes: Buffer) => {
      this.#received.append(bytes)
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.ended = true
      this.#wake()
    })
  }

  /** Undefined: the connection has ended before it. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#received.length === 0 ? undefined : endOfFrame(this.#received.peek(), 0)
      if (end !== undefined) return this.#received.take(end).toString('latin1')
      if (this.ended) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

/** The value that so large a share (0 to 1) of the numbers does not exceed. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
