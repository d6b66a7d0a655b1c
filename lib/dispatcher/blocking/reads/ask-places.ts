/** Reads that are sent to their places at once, for one client. */
import type { Session } from '../../../downstream/session.ts'
import type { Failure } from '../../../failures.ts'
import { requestFrame } from '../../../resp/encode.ts'
import type { PlaceRead } from '../../../routing/reads/cross-shard-read.ts'
import { type Frame, ownFrame } from '../../../upstream/backend.ts'
import type { ReplySink } from '../../../upstream/reply-sink.ts'
import { type Collected, Collector } from '../../core/collector.ts'

export type SendToPlace = (frame: Frame, place: number, sink: ReplySink, ticket: number) => void

/** `done` has the replies, or what failed, during the call. */
export function askPlaces(
  reads: readonly PlaceRead[],
  session: Session,
  send: SendToPlace,
  done: (collected: Collected) => void,
): void {
  const collector = new Collector(reads.length, done, undefined, session)
  for (const [part, { place, args }] of reads.entries()) {
    send(ownFrame(requestFrame(args)), place, collector, part)
  }
}

/** None of them has failed. */
export function repliesOf(collected: Collected): Buffer[] {
  return Array.from({ length: collected.count }, (_, part) => collected.frame(part) as Buffer)
}

/** Of reads that take something: what others have taken is pending for the consumer. */
export function failureOf(error: Failure, { failures, count }: Collected): Failure {
  return failures === count ? error : error.partly
}
