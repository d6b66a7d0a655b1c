/** Callbacks that wait to learn whether the shard takes a connection. */
export type OnSettled = (rejection: string | undefined) => void

export class Settlement {
  #waiting: OnSettled[] = []

  add(onSettled: OnSettled): void {
    this.#waiting.push(onSettled)
  }

  /** It is known: with the reason, as the shard words it, when it turned us away. */
  settle(rejection: string | undefined): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const onSettled of waiting) onSettled(rejection)
  }
}
