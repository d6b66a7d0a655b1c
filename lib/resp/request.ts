/**
 * One complete, verified request as the scanner hands it on: bytes and offsets, nothing decoded.
 *
 * A request lives only until the call that received it returns: `bytes` is usually the shared read
 * buffer and `offsets` the scanner's own array, both overwritten by the next read. Code that
 * needs it longer copies it.
 */
export interface Request {
  /** Holds the whole frame; also holds bytes that are not ours before and after it. */
  readonly bytes: Buffer
  /** The frame is `bytes[frameStart, frameEnd)`, in canonical form: `*n` and n bulk strings. */
  readonly frameStart: number
  readonly frameEnd: number
  /** Number of arguments, the command's name included; at least 1. */
  readonly argc: number
  /** Argument i (0 is the command's name) is `bytes[offsets[2 * i], offsets[2 * i + 1])`. */
  readonly offsets: Int32Array
  /** The memory that `bytes` lie in, if it can be kept. Code that keeps it need not copy. */
  readonly memory?: KeptMemory | undefined
}

/** Counted memory for large requests that come in pieces. */
export interface LargeMemory {
  /** The largest request that it takes, bytes. */
  readonly bytesMax: number
  take(bytes: number): LargeBytes
}

export interface LargeBytes extends KeptMemory {
  readonly bytes: Buffer
  /** The first `bytes` bytes have been written to by now. */
  fill(bytes: number): void
}

/** Memory that may have several users at a time. */
export interface KeptMemory {
  /** It has one more user. */
  keep(): void
  /** One of its users does not need it any more. With the last user the bytes are gone. */
  letGo(): void
}
