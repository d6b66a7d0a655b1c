/**
 * Groups the keys of one command by their place, so that each place gets one fragment for all its
 * keys. One object serves all commands in turn.
 */
export class KeyGroups {
  /** Places that have at least one key, in the order of their first key: the groups. */
  readonly places: number[] = []
  /** By group, as long as there are groups: how many keys it has. */
  counts = new Int32Array(16)
  /** By group: the number of its first key. */
  firstKeys = new Int32Array(16)
  /** By group: the hash of its first key. */
  firstHashes = new Int32Array(16)
  /** By key number: its group, an index into `places`. */
  groupOf = new Int32Array(16)
  /** By place: its group, or -1. */
  #groups = new Int32Array(0)

  /** Starts over for a command with `keyCount` keys. */
  begin(keyCount: number, placeCount: number): void {
    if (this.#groups.length < placeCount) this.#groups = new Int32Array(placeCount).fill(-1)
    for (const place of this.places) this.#groups[place] = -1
    this.places.length = 0
    if (this.groupOf.length < keyCount) this.#grow(2 * keyCount)
  }

  /** Says that key number `key` has this place, and this hash. */
  add(key: number, place: number, hash: number): void {
    let group = this.#groups[place] as number
    if (group < 0) {
      group = this.places.length
      this.#groups[place] = group
      this.places.push(place)
      this.counts[group] = 0
      this.firstKeys[group] = key
      this.firstHashes[group] = hash
    }
    this.groupOf[key] = group
    this.counts[group] = (this.counts[group] as number) + 1
  }

  /** There are no more groups than keys. */
  #grow(capacity: number): void {
    this.groupOf = new Int32Array(capacity)
    this.counts = new Int32Array(capacity)
    this.firstKeys = new Int32Array(capacity)
    this.firstHashes = new Int32Array(capacity)
  }
}
