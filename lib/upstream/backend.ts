/**
 * The one port through which a client's requests go to a shard. A `Shard` is one; what stands before
 * a shard, as a cache does, is another and wraps it.
 */
import type { Chunk } from '../io/chunk.ts'
import type { KeptMemory, Request } from '../resp/request.ts'
import type { Lane } from './lane.ts'
import type { ReplySink } from './reply-sink.ts'

/** One whole request: `bytes[frameStart, frameEnd)`. */
export interface Frame {
  readonly bytes: Buffer
  readonly frameStart: number
  readonly frameEnd: number
  /** The bytes never change again, so they need not be copied. */
  readonly owned: boolean
  /** The memory that they lie in, if it can be kept instead of a copy. */
  readonly memory?: KeptMemory | undefined
}

/** The part of a split request that one place gets: the keys of group `index`, with what belongs to them. */
export interface Fragment {
  readonly request: Request
  /** Arguments from one key to the next. Keys begin at argument 1. */
  readonly stride: number
  /** By key: its group. */
  readonly groupOf: Int32Array
  readonly index: number
  readonly keyCount: number
  /** The number of the first of its keys. */
  readonly firstKey: number
  /** With what a fragment of one key begins, where many of them are made of one request. */
  readonly opening?: Chunk | undefined
}

/** All parts of a split request, numbered as its groups of keys. */
export interface Parts extends Pick<Fragment, 'request' | 'stride' | 'groupOf'> {
  readonly opening: Chunk
  /** By part: its place, the number of its keys, and the number of the first of them. */
  readonly places: readonly number[]
  readonly counts: Int32Array
  readonly firstKeys: Int32Array
  /** Parts are about to be sent, of which this is the first. */
  about(part: number): void
}

/**
 * The reply, or the failure, goes to `sink` with `ticket`; a failure perhaps within the call. Requests
 * of one session in one lane reach the shard in the order of the calls.
 */
export interface Backend {
  send(sessionId: number, lane: Lane, frame: Frame, sink: ReplySink, ticket: number): void
  sendFragment(
    sessionId: number,
    lane: Lane,
    fragment: Fragment,
    sink: ReplySink,
    ticket: number,
  ): void
}

/** A frame that was made here and never changes. */
export function ownFrame(bytes: Buffer): Frame {
  return { bytes, frameStart: 0, frameEnd: bytes.length, owned: true }
}
