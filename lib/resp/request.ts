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
  /** What `bytes` lie in, if that can be kept. Whoever keeps it need not copy. */
  readonly memory?: KeptMemory | undefined
}

/** Where requests are kept that are large and come in pieces, as whoever provides it counts them. */
export interface LargeMemory {
  /** Most bytes that one request may have. */
  readonly bytesMax: number
  take(bytes: number): LargeBytes
}

export interface LargeBytes extends KeptMemory {
  readonly bytes: Buffer
  /** From the start on so many bytes are written to now. */
  fill(bytes: number): void
}

/** Memory that several may need at a time. */
export interface KeptMemory {
  /** One more needs it. */
  keep(): void
  /** One of those needs it no more; with the last one the bytes are gone. */
  letGo(): void
}
