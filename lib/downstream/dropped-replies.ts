/** Which replies a client does not want (CLIENT REPLY): they keep their places and are dropped there. */

export class DroppedReplies {
  /** So many of the next requests get no reply. */
  #next = 0
  /** Tags in flight whose replies are dropped, and whether part of the reply has come. */
  #begun: Map<number, boolean> | undefined

  /** The next `count` get none. 0 ends that; Infinity: until then. */
  dropNext(count: number): void {
    this.#next = count
  }

  get dropsNext(): boolean {
    return this.#next > 0
  }

  opened(tag: number): void {
    if (this.#next === 0) return
    this.#next--
    this.#begun ??= new Map()
    this.#begun.set(tag, false)
  }

  has(tag: number): boolean {
    return this.#begun?.has(tag) === true
  }

  /** Part of the reply, but not all of it, has come; `tag` is one that `has` knows. */
  begin(tag: number): void {
    this.#begun?.set(tag, true)
  }

  /** Undefined: the reply is not dropped. */
  hasBegun(tag: number): boolean | undefined {
    return this.#begun?.get(tag)
  }

  /** Forgets `tag`: its reply is whole, or wanted even so. Returns whether it was to be dropped. */
  delete(tag: number): boolean {
    return this.#begun?.delete(tag) === true
  }
}
