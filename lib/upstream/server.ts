/**
 * Where the server of a shard is at this moment. All connections of the shard look here when they
 * connect; the shard alone changes it.
 */
import type { ShardAddress } from './connection/making/dial.ts'

export interface Server {
  /** Undefined while nobody knows where it is. */
  readonly address: ShardAddress | undefined
  /** Another server may take its place: requests wait for that, within their deadlines. */
  readonly mayMove?: boolean
  /** It is about to be replaced: nothing more is handed to it. */
  readonly onHold?: boolean
}
