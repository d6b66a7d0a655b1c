/**
 * Where the server of a named shard is now. A shard keeps its name, its keys and its place on the ring;
 * its server may move.
 */
import type { ServerAddress } from '../../control/server-address.ts'

/** What a shard hears of its locator. */
export interface LocatorObserver {
  /** The server is at `to` now. At once, nothing that the old one says is believed any more. */
  moved(to: ServerAddress, facts: MoveFacts): void
  /** The server is about to move: requests wait. `moved` or `released` follows soon. */
  held(): void
  /** It stays where it is: what waits may go on. */
  released(): void
  /** Its replicas that can serve are these, as far as is known now. */
  replicated(replicas: readonly ServerAddress[]): void
}

/** For the log: who said so, and how long it took. */
export interface MoveFacts {
  readonly from: string | undefined
  readonly to: string
  readonly toldBy: string
}

export interface Locator {
  /** Undefined while it is not known. */
  readonly address: ServerAddress | undefined
  /** The server has said or done what a master does not: look again, now. */
  doubt(sign: 'readOnly' | 'silent'): void
  close(): void
}
