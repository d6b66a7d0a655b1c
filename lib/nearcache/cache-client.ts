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

/** How the request at hand gets to the place of its keys. Valid during the call. */
export interface Way<T> {
  /** That has the place at this moment. */
  readonly shard: T
  /**
   * Another number whenever something has happened to the place: it has another shard, or a request for it was
   * refused and goes elsewhere. 0 for a place that stays where it is.
   */
  readonly changedAt: number
  /** Whether the client's requests keep their order if this one is sent now. */
  readonly admits: boolean
  /**
   * The request is sent to the shard by the caller: returns where the reply goes, whatever the ticket. From
   * there a request that was refused goes on by itself. Undefined: the client has been told that there will
   * be no reply.
   */
  entrust(frame: Frame, sink: ReplySink, ticket: number): ReplySink | undefined
  /** Sends it. */
  send(frame: Frame, sink: ReplySink, ticket: number): void
}

/** How a request gets to the places of its keys, where these are several. Valid during the call. */
export interface Ways<T> {
  /** How many places there are. */
  readonly parts: number
  /** By the number of the key: the part that it is in. */
  readonly partOf: Int32Array
  /** Valid until the next call. */
  wayOf(part: number): Way<T>
}

/** May have the reply to a read that is about to be sent to `T`. */
export interface Reads<T> {
  /** Whether the read, of keys in one place, is taken care of. */
  read(client: CacheClient, request: ReadRequest, row: CommandRow, way: Way<T>): boolean
  /** Whether the read, of keys in several places, has been answered, since all of them are in memory. */
  readWhole(client: CacheClient, request: ReadRequest, row: CommandRow, ways: Ways<T>): boolean
  /**
   * Answers the fragment to `sink`, or returns the sink for the shard's reply; undefined: `sink`
   * itself. `ticket`: of the request that the fragment is a part of.
   */
  readPart(
    client: CacheClient,
    fragment: Fragment,
    row: CommandRow,
    way: Way<T>,
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
