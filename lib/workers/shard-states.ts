/** Whether shards are up, over all workers: a shard is up that is up for each of them. */

export class ShardStates {
  /** By shard: who has told last that it is not up. */
  readonly #down = new Map<string, Set<object>>()
  readonly #changed: (name: string, up: boolean) => void

  /** `changed`: the shard is up for all now, or not any more. */
  constructor(changed: (name: string, up: boolean) => void) {
    this.#changed = changed
  }

  told(worker: object, name: string, up: boolean): void {
    const down = this.#down.get(name) ?? new Set()
    const wasUp = down.size === 0
    if (up) down.delete(worker)
    else down.add(worker)
    this.#down.set(name, down)
    if (wasUp !== (down.size === 0)) this.#changed(name, !wasUp)
  }

  gone(worker: object): void {
    for (const [name, down] of this.#down) if (down.has(worker)) this.told(worker, name, true)
  }
}
