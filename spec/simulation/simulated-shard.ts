/** A shard: executes what it is sent, in order, and remembers what it has done. */
import { decodeRequest, endOfFrame, latin1 } from '../support/frames.ts'
import { GrowingBytes } from '../support/growing-bytes.ts'
import { askerOf, effectsOf, execute } from './commands.ts'

export class SimulatedShard {
  readonly index: number
  /** How often each effect has come about. */
  readonly done = new Map<string, number>()
  /** Replies on their way. */
  output = new GrowingBytes()
  #input = new GrowingBytes()
  /** By client: its latest request here. */
  readonly #latest = new Map<string, number>()

  constructor(index: number) {
    this.index = index
  }

  receive(bytes: Buffer): void {
    this.#input.append(bytes)
  }

  /** Executes at most `requestsMax` requests, of those that have arrived whole. */
  execute(requestsMax: number): void {
    for (let i = 0; i < requestsMax && this.#input.length > 0; i += 1) {
      const end = endOfFrame(this.#input.peek(), 0)
      if (end === undefined) return
      const args = decodeRequest(this.#input.take(end)).map((arg) => arg.toString('latin1'))
      if (args.length === 1 && args[0] === 'PING') {
        this.output.append(latin1('+PONG\r\n'))
        continue
      }
      for (const effect of effectsOf(args, this.index)) this.#do(effect)
      this.output.append(execute(args, this.index))
    }
  }

  /** The connection is gone: perhaps after the requests that had arrived were executed. */
  disconnect(executed: boolean): void {
    if (executed) this.execute(Number.POSITIVE_INFINITY)
    this.#input = new GrowingBytes()
    this.output = new GrowingBytes()
  }

  #do(effect: string): void {
    const times = (this.done.get(effect) ?? 0) + 1
    if (times > 1) throw new Error(`done twice: ${effect}`)
    this.done.set(effect, times)
    const { client, sequence } = askerOf(effect)
    const latest = this.#latest.get(client) ?? 0
    if (sequence < latest) throw new Error(`${effect} executed after request ${latest}`)
    this.#latest.set(client, sequence)
  }
}
