/**
 * Where the server of a named shard is now. A shard keeps its name, its keys and its place on the ring;
 * its server may move.
 */
import type { ServerAddress } from '../../control/server-address.ts'

/** What a locator tells its shard. */
export interface LocatorObserver {
  /** The server is at `to` now. From this moment on the old server is not believed any more. */
  moved(to: ServerAddress, facts: MoveFacts): void
  /** The server is about to move: requests wait. `moved` or `released` follows soon. */
  held(): void
  /** It stays where it is: requests that wait may go on. */
  released(): void
  /** These are its replicas that can serve, as far as is known. */
  replicated(replicas: readonly ServerAddress[]): void
}

/** For the log: the source of the news, and how long the move took. */
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
