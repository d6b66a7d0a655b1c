/** The copy of a request, from the moment in which it is sent until its reply, which is dropped. */
import { MIRROR_BYTES_MAX, MIRROR_REQUESTS_MAX } from '../../limits.ts'
import { MINUS } from '../../resp/bytes.ts'
import type { MirrorCounts } from '../../stats/mirror/mirror-counts.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'

/** Whether one more copy, of so many bytes, may wait for its reply. */
export function hasRoom({ waiting, waitingBytes }: MirrorCounts, bytes: number): boolean {
  return waiting < MIRROR_REQUESTS_MAX && waitingBytes + bytes <= MIRROR_BYTES_MAX
}

export class MirroredRequest implements ReplySink {
  readonly #counts: MirrorCounts
  readonly #bytes: number
  #hasBegun = false

  /** It is sent now, and takes `bytes` bytes. */
  constructor(counts: MirrorCounts, bytes: number) {
    this.#counts = counts
    this.#bytes = bytes
    counts.sent++
    counts.waiting++
    counts.waitingBytes += bytes
  }

  /** ReplySink */
  reply(_ticket: number, bytes: Buffer, start: number, _end: number, last: boolean): void {
    if (!this.#hasBegun && bytes[start] === MINUS) this.#counts.errors++
    this.#hasBegun = true
    if (last) this.#end()
  }

  /** ReplySink */
  failed(): void {
    this.#counts.unanswered++
    this.#end()
  }

  #end(): void {
    this.#counts.waiting--
    this.#counts.waitingBytes -= this.#bytes
  }
}
