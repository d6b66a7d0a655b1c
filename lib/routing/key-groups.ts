/**
 * Groups the keys of one command by their place, so that each place gets one fragment for all its
 * keys. One object serves all commands in turn.
 */
export class KeyGroups {
  /** Places that have at least one key, in the order of their first key: the groups. */
  readonly places: number[] = []
  /** By group: how many keys it has. */
  readonly counts: number[] = []
  /** By group: the number of its first key. */
  readonly firstKeys: number[] = []
  /** By group: the hash of its first key. */
  readonly firstHashes: number[] = []
  /** By key number: its group, an index into `places`. */
  groupOf = new Int32Array(16)
  /** By place: its group, or -1. */
  #groups = new Int32Array(0)

  /** Starts over for a command with `keyCount` keys. */
  begin(keyCount: number, placeCount: number): void {
    if (this.#groups.length < placeCount) this.#groups = new Int32Array(placeCount).fill(-1)
    for (const place of this.places) this.#groups[place] = -1
    this.places.length = 0
    this.counts.length = 0
    this.firstKeys.length = 0
    this.firstHashes.length = 0
    if (this.groupOf.length < keyCount) this.groupOf = new Int32Array(2 * keyCount)
  }

  /** Says that key number `key` has this place, and this hash. */
  add(key: number, place: number, hash: number): void {
    let group = this.#groups[place] as number
    if (group < 0) {
      group = this.places.length
      this.#groups[place] = group
      this.places.push(place)
      this.counts.push(0)
      this.firstKeys.push(key)
      this.firstHashes.push(hash)
    }
    this.groupOf[key] = group
    this.counts[group] = (this.counts[group] as number) + 1
  }
}
