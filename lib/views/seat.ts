/** What an ambassador is told that is one of several workers. One that is alone has no seat. */
import type { Colleagues } from '../dispatcher/colleagues/colleagues.ts'

export interface Seat {
  /** From 0 on. */
  readonly index: number
  /** Of all workers. */
  readonly count: number
  /** Ids of clients and of log entries are above it, and no other worker has or had them. */
  readonly idsAbove: number
  /** When all began, milliseconds since the epoch. */
  readonly startedAtMs: number
  readonly colleagues: Colleagues
  /** A shard is up for this worker, or not any more. */
  shardChanged(name: string, up: boolean): void
}

/** This worker's part of a bound for all: the parts of all workers add up to it exactly. */
export function shareOf(total: number, seat: Pick<Seat, 'index' | 'count'> | undefined): number {
  if (seat === undefined) return total
  const { index, count } = seat
  return Math.floor(total / count) + (index < total % count ? 1 : 0)
}
