/** The part of a client that a cache needs. */
import type { CommandRow } from '../commands/row.ts'
import type { Request } from '../resp/request.ts'
import type { NearCacheState } from '../stats/near-cache-stats.ts'
import type { Fragment, Frame } from '../upstream/backend.ts'
import type { Lane } from '../upstream/lane.ts'
import type { ReplySink } from '../upstream/reply-sink.ts'
import type { Writer, WriterSession } from './writes.ts'

/** A client whose requests pass here. */
export interface CacheClient extends Writer {
  readonly session: WriterSession & ReplySink & { readonly id: number; open(): number }
  readonly lane: Lane
}

/** A request as it came, and as it may be sent on. */
export type ReadRequest = Request & Frame

/** May have the reply to a read that is about to be sent to `T`. */
export interface Reads<T> {
  /** Whether the read, of keys on the shard, is taken care of. */
  read(client: CacheClient, request: ReadRequest, row: CommandRow, shard: T): boolean
  /**
   * Answers the fragment to `sink`, or returns the sink for the shard's reply; undefined: `sink`
   * itself. `ticket`: of the request that the fragment is a part of.
   */
  readPart(
    client: CacheClient,
    fragment: Fragment,
    row: CommandRow,
    shard: T,
    sink: ReplySink,
    ticket: number,
  ): ReplySink | 'answered' | undefined
}

/** All that is kept, of one pool or of several. */
export interface Cache<T> extends Reads<T> {
  /** A request of the client is about to be dealt with, in whatever way. */
  about(client: Writer, request: Request, row: CommandRow): void
  /** Forgets all that is kept. */
  clear(): void
  readonly state: NearCacheState
}
