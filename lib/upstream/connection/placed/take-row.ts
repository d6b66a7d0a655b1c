/** Takes replies to the parts of a run in rows: those of the usual kind that lie whole in what was read. */
import { ReplyRow } from '../../../resp/reply-row.ts'
import type { Fifo } from '../fifo.ts'
import type { ReplyCounts } from '../reply-counts.ts'
import type { Run } from './run.ts'

const row = new ReplyRow()

/** `run`: the head of the FIFO. Returns where the replies end that begin at `bytes[at]`; `at`: they are of another kind. */
export function takeRow(
  run: Run,
  fifo: Fifo,
  counts: ReplyCounts,
  bytes: Buffer,
  at: number,
  limit: number,
): number {
  const end = row.scan(bytes, at, limit, run.left)
  const { count } = row
  if (count === 0) return at
  counts.countMore(count, fifo.headBatch)
  fifo.replies(run, bytes, at, end, count)
  return end
}
