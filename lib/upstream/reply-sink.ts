/** What the upstream side needs of a receiver of replies, which it does not know further. */

import type { Failure } from '../failures.ts'
export interface ReplySink {
  /**
   * Bytes of the reply to the request that was sent with `ticket`: usually all of it, with `last`
   * true; a very large reply comes in several calls. A sink that needs the bytes later copies them.
   */
  reply(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void
  /** There will be no reply, or no more of it. Called at most once, and nothing comes after it. */
  failed(ticket: number, error: Failure): void
}
