/**
 * One client that knows what it may be told: it writes and reads keys of its own, pushes tokens that
 * exist once, and holds every reply against the request at the same place in its pipeline.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { encodeRequest, endOfFrame } from '../support/frames.ts'
import { GrowingBytes } from '../support/growing-bytes.ts'
import type { Random } from '../support/random.ts'
import { NOTHING, type Outcome, Register, type Report, shown, type Tokens } from './history.ts'

/** A request on its way: called with its reply, or without one when the connection has ended. */
type Pending = (reply: string | undefined) => void

export interface WorkloadOptions {
  readonly id: number
  readonly port: number
  readonly random: Random
  readonly report: Report
  readonly tokens: Tokens
  /** Most requests in one pipeline. */
  readonly depth: number
}

const KEYS = 12

/** A shard's reply that looks like many: it must not be taken for replies of its own. */
const PADS = ['', '+OK\r\n', ':1\r\n$3\r\nfoo\r\n', '-ERR no\r\n', 'x'.repeat(3000)]

export class Workload {
  readonly #options: WorkloadOptions
  readonly #registers: readonly Register[]
  #sequence = 0
  #stopped = false

  constructor(options: WorkloadOptions) {
    this.#options = options
    const { losses } = options.report
    this.#registers = Array.from({ length: KEYS }, () => new Register(losses))
  }

  stop(): void {
    this.#stopped = true
  }

  /** Works until stopped; connects again whenever its connection ends. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      const socket = connect(this.#options.port, '127.0.0.1')
      socket.setNoDelay(true)
      socket.on('error', () => {})
      await Promise.race([once(socket, 'connect'), once(socket, 'close')])
      if (!socket.destroyed) await this.#talk(socket)
      socket.destroy()
    }
  }

  /** Pipeline after pipeline over one connection, sometimes left in the middle. */
  async #talk(socket: Socket): Promise<void> {
    const { random, depth } = this.#options
    const replies = new Replies(socket, this.#options.report)
    while (!this.#stopped && !replies.ended) {
      const requests: string[] = []
      const pending: Pending[] = []
      for (let i = random.integer(1, depth + 1); i > 0; i--) this.#addRequest(requests, pending)
      socket.write(requests.join(''), 'latin1')
      // Now and then a client goes away with requests in flight; others must not get its replies.
      if (random.integer(0, 60) === 0) socket.resetAndDestroy()
      await replies.answer(pending)
    }
  }

  #addRequest(requests: string[], pending: Pending[]): void {
    const { random } = this.#options
    const [request, done] = random.pick(this.#kinds)()
    requests.push(encodeRequest(...request).toString('latin1'))
    pending.push(done)
  }

  readonly #kinds: readonly (() => [string[], Pending])[] = [
    () => this.#set(),
    () => this.#get(),
    () => this.#mset(),
    () => this.#mget(),
    () => this.#push(),
    () => this.#echo(),
  ]

  #key(index: number): string {
    return `c${this.#options.id}:k${index}`
  }

  #newValue(index: number): string {
    this.#sequence++
    return `c${this.#options.id}:k${index}:${this.#sequence}:${this.#options.random.pick(PADS)}`
  }

  #set(): [string[], Pending] {
    const index = this.#options.random.integer(0, KEYS)
    const value = this.#newValue(index)
    const done = (reply: string | undefined): void => {
      const outcome = this.#options.report.count(reply)
      if (outcome === 'ok' && reply !== '+OK\r\n') this.#foreign('SET', reply)
      this.#wrote(index, value, outcome)
    }
    return [['SET', this.#key(index), value], done]
  }

  #mset(): [string[], Pending] {
    const first = this.#options.random.integer(0, KEYS - 3)
    const writes = [first, first + 1, first + 2].map(
      (index) => [index, this.#newValue(index)] as const,
    )
    const done = (reply: string | undefined): void => {
      const outcome = this.#options.report.count(reply)
      if (outcome === 'ok' && reply !== '+OK\r\n') this.#foreign('MSET', reply)
      // A shard's own error to one fragment says nothing about the others.
      const each = outcome === 'refused' ? 'maybe' : outcome
      for (const [index, value] of writes) this.#wrote(index, value, each)
    }
    return [['MSET', ...writes.flatMap(([index, value]) => [this.#key(index), value])], done]
  }

  #get(): [string[], Pending] {
    const index = this.#options.random.integer(0, KEYS)
    const done = (reply: string | undefined): void => {
      if (this.#options.report.count(reply) === 'ok')
        this.#read(index, valuesOf(reply as string)[0])
    }
    return [['GET', this.#key(index)], done]
  }

  #mget(): [string[], Pending] {
    const first = this.#options.random.integer(0, KEYS - 4)
    const indexes = [first, first + 1, first + 2, first + 3, first]
    const done = (reply: string | undefined): void => {
      if (this.#options.report.count(reply) !== 'ok') return
      const values = valuesOf(reply as string)
      if (values.length !== indexes.length) this.#foreign('MGET', reply)
      for (const [i, index] of indexes.entries()) this.#read(index, values[i])
    }
    return [['MGET', ...indexes.map((index) => this.#key(index))], done]
  }

  #push(): [string[], Pending] {
    const { id, random, tokens, report } = this.#options
    this.#sequence++
    const token = `t${id}:${this.#sequence}`
    const done = (reply: string | undefined): void => {
      const outcome = report.count(reply)
      if (outcome === 'ok' && !reply?.startsWith(':')) this.#foreign('RPUSH', reply)
      tokens.pushed(token, outcome)
    }
    return [['RPUSH', `log:${random.integer(0, 8)}`, token], done]
  }

  #echo(): [string[], Pending] {
    this.#sequence++
    const text = `c${this.#options.id}:echo:${this.#sequence}`
    const done = (reply: string | undefined): void => {
      if (this.#options.report.count(reply) === 'ok' && valuesOf(reply as string)[0] !== text) {
        this.#foreign('ECHO', reply)
      }
    }
    return [['ECHO', text], done]
  }

  #wrote(index: number, value: string, outcome: Outcome): void {
    this.#registers[index]?.wrote(value, outcome)
  }

  #read(index: number, value: string | undefined): void {
    const register = this.#registers[index] as Register
    if (value !== undefined && register.allows(value)) return
    const { report } = this.#options
    const endedMs = value === undefined ? undefined : register.endedMs(value)
    const since = endedMs === undefined ? '' : `, overwritten at ${report.at(endedMs)}`
    report.violated(`I1/I2/I5: ${this.#key(index)} is ${shown(value)}${since}, not ${register}`)
  }

  #foreign(command: string, reply: string | undefined): void {
    const shown = JSON.stringify(reply?.slice(0, 100))
    this.#options.report.violated(`I1/I2: client ${this.#options.id} got ${shown} for ${command}`)
  }
}

/** The bulk strings of a reply, nulls as NOTHING. */
function valuesOf(reply: string): string[] {
  const values: string[] = []
  let at = reply.startsWith('*') ? reply.indexOf('\n') + 1 : 0
  while (at < reply.length && reply[at] === '$') {
    const lineEnd = reply.indexOf('\r\n', at)
    const length = Number(reply.slice(at + 1, lineEnd))
    values.push(length < 0 ? NOTHING : reply.slice(lineEnd + 2, lineEnd + 2 + length))
    at = lineEnd + 2 + (length < 0 ? 0 : length + 2)
  }
  return values
}

/** Gives each pending request its reply, in order, by a framing of its own. */
class Replies {
  ended = false
  readonly #received = new GrowingBytes()
  #pending: Pending[] = []
  #wake: () => void = () => {}

  constructor(socket: Socket, report: Report) {
    socket.on('data', (bytes: Buffer) => {
      this.#received.append(bytes)
      this.#deliver(report)
    })
    socket.on('close', () => {
      this.ended = true
      for (const pending of this.#pending.splice(0)) pending(undefined)
      this.#wake()
    })
  }

  /** Resolves when all are answered, or the connection has ended. */
  async answer(pending: Pending[]): Promise<void> {
    if (this.ended) {
      for (const each of pending) each(undefined)
      return
    }
    this.#pending = pending
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  #deliver(report: Report): void {
    while (this.#received.length > 0) {
      const end = endOfFrame(this.#received.peek(), 0)
      if (end === undefined) return
      const reply = this.#received.take(end).toString('latin1')
      const pending = this.#pending.shift()
      if (pending === undefined)
        report.violated(`I3: a reply that nobody asked for: ${reply.slice(0, 80)}`)
      else pending(reply)
    }
    if (this.#pending.length === 0) this.#wake()
  }
}
