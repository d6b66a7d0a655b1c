/** As much of a client as a cache needs. */
import type { CommandRow } from '../commands/row.ts'
import type { Request } from '../resp/request.ts'
import type { Lane } from '../upstream/lane.ts'
import type { ReplySink } from '../upstream/reply-sink.ts'
import type { Writer, WriterSession } from './writes.ts'

/** A client whose requests pass here. */
export interface CacheClient extends Writer {
  readonly session: WriterSession & ReplySink & { readonly id: number; open(): number }
  readonly lane: Lane
}

/** Who may have the reply to a read that is about to be sent to `T`. */
export interface Reads<T> {
  /** Whether the read, of a key on the shard, is taken care of. */
  read(client: CacheClient, request: Request, row: CommandRow, shard: T): boolean
}
