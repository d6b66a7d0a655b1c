/**
 * Groups the keys of one command by the shard that owns them, so that each shard gets one fragment
 * however many of its keys there are. One object serves all commands in turn.
 */
export class KeyGroups {
  /** Shards that own at least one key, in the order of their first key. */
  readonly shards: number[] = []
  /** Keys of each of `shards`. */
  readonly counts: number[] = []
  /** The number of the first key of each of `shards`. */
  readonly firstKeys: number[] = []
  /** By key number: which of `shards` owns it, as an index into `shards`. */
  owners = new Int32Array(16)
  /** By shard index: its place in `shards`, or -1. */
  #places = new Int32Array(0)

  /** Starts over for a command with `keyCount` keys. */
  begin(keyCount: number, shardCount: number): void {
    if (this.#places.length < shardCount) this.#places = new Int32Array(shardCount).fill(-1)
    for (const shard of this.shards) this.#places[shard] = -1
    this.shards.length = 0
    this.counts.length = 0
    this.firstKeys.length = 0
    if (this.owners.length < keyCount) this.owners = new Int32Array(2 * keyCount)
  }

  /** Says that key number `key` belongs to `shard`. */
  add(key: number, shard: number): void {
    let place = this.#places[shard] as number
    if (place < 0) {
      place = this.shards.length
      this.#places[shard] = place
      this.shards.push(shard)
      this.counts.push(0)
      this.firstKeys.push(key)
    }
    this.owners[key] = place
    this.counts[place] = (this.counts[place] as number) + 1
  }
}
