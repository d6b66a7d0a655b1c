/**
 * Collects what the shards say where one that is away must not silence the others: unlike FanOut,
 * it hands on the replies that came, and the gaps.
 */
import type { ReplySink, ShardError } from '../../upstream/reply-sink.ts'

/** One shard's reply, or why there is none. */
export type Gathered = Buffer | ShardError

export class Gather implements ReplySink {
  readonly #gathered: Gathered[]
  readonly #parts: Buffer[][]
  readonly #done: (gathered: readonly Gathered[]) => void
  #missing: number

  /** `done` is called once, when all `count` shards have answered or failed. */
  constructor(count: number, done: (gathered: readonly Gathered[]) => void) {
    this.#gathered = new Array(count)
    this.#parts = Array.from({ length: count }, () => [])
    this.#done = done
    this.#missing = count
  }

  reply(shard: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const parts = this.#parts[shard] as Buffer[]
    parts.push(Buffer.from(bytes.subarray(start, end)))
    if (last) this.#settle(shard, Buffer.concat(parts))
  }

  failed(shard: number, error: ShardError): void {
    this.#settle(shard, error)
  }

  #settle(shard: number, gathered: Gathered): void {
    this.#gathered[shard] = gathered
    this.#missing--
    if (this.#missing === 0) this.#done(this.#gathered)
  }
}
