/**
 * Masters that hang. When one wakes up it executes all that it was sent, and says so, before it learns
 * that a replica has taken its place: that is lost. So nothing is read from a master that keeps silent,
 * until the map has been looked at after it woke up: then it is heard, or left with all that it says.
 */
import { addressKey, type ServerAddress } from '../../control/server-address.ts'
import { MASTER_SILENT_LOOK_MS, MASTER_SILENT_MS } from '../../limits.ts'
import type { Shard } from '../../upstream/shard.ts'

export interface SleepersOptions {
  readonly masters: () => Iterable<{ readonly address: ServerAddress; readonly shard: Shard }>
  readonly now: () => number
  /** It is asked from now on, and so are its replicas, until `awake` is called for it. */
  readonly onSilent: (address: ServerAddress) => void
}

export class Sleepers {
  readonly #options: SleepersOptions
  readonly #asleep = new Map<string, Shard>()
  /**
   * When those that keep silent turned out to be awake: a planned failover stops a master's writes for as long as
   * its replica needs to catch up.
   */
  readonly #awakeMs = new Map<string, number>()
  readonly #timer: NodeJS.Timeout

  constructor(options: SleepersOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#look(), MASTER_SILENT_LOOK_MS)
    this.#timer.unref()
  }

  /** What it says is true, or it is left now. */
  awake(address: ServerAddress): void {
    const key = addressKey(address)
    const shard = this.#asleep.get(key)
    if (shard === undefined) return
    this.#asleep.delete(key)
    this.#awakeMs.set(key, this.#options.now())
    shard.listen()
  }

  /** It is no master any more. */
  forget(address: ServerAddress): void {
    const key = addressKey(address)
    this.#asleep.get(key)?.listen()
    this.#asleep.delete(key)
    this.#awakeMs.delete(key)
  }

  /** It keeps silent, and nothing that it says is read. */
  isAsleep(address: ServerAddress): boolean {
    return this.#asleep.has(addressKey(address))
  }

  close(): void {
    clearInterval(this.#timer)
    this.listenToAll()
  }

  /** Nobody asks about them any more. Those that still hang will be noticed again. */
  listenToAll(): void {
    for (const shard of this.#asleep.values()) shard.listen()
    this.#asleep.clear()
  }

  #look(): void {
    const { masters, now, onSilent } = this.#options
    const latestMs = now() - MASTER_SILENT_MS
    for (const { address, shard } of masters()) {
      const key = addressKey(address)
      if (shard.silentSinceMs > latestMs) {
        this.#awakeMs.delete(key)
        continue
      }
      const isAwake = (this.#awakeMs.get(key) ?? Number.NEGATIVE_INFINITY) > latestMs
      if (isAwake || this.#asleep.has(key)) continue
      this.#asleep.set(key, shard)
      shard.stopListening()
      onSilent(address)
    }
  }
}
