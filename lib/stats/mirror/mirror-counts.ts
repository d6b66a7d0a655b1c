/** What became of the copies of one pool's requests, counted since the process began. */

/** Why a request that should have been mirrored was not sent. */
export type MirrorDrop =
  /** Too many copies wait for their replies already, or too many bytes of them. */
  | 'full'
  /** The server is not there. */
  | 'away'

/** Why a request cannot be mirrored. */
export type MirrorSkip =
  /** It waits for what another client writes. */
  | 'blocking'
  /** From MULTI, or the WATCH before it, to EXEC; it counts once. */
  | 'transaction'
  | 'pubsub'
  /** A script or function that names no key. */
  | 'script'
  /** Its keys have several places at the mirror, and it cannot be split. */
  | 'crossslot'
  /** It manages servers, or is about all of them in a way of its own. */
  | 'other'

export class MirrorCounts {
  /** Requests sent to the mirror's servers; one that is split counts at each. */
  sent = 0
  /** Of these, how many were answered with an error. */
  errors = 0
  /** Of these, how many had no reply: the server was lost, or too slow. */
  unanswered = 0
  readonly dropped: Record<MirrorDrop, number> = { full: 0, away: 0 }
  readonly skipped: Record<MirrorSkip, number> = {
    blocking: 0,
    transaction: 0,
    pubsub: 0,
    script: 0,
    crossslot: 0,
    other: 0,
  }
  /** Sent, and without a reply so far. */
  waiting = 0
  waitingBytes = 0
}

/** One mirror at this moment. */
export interface MirrorState {
  /** The pool that is mirrored, and the one that is sent the copies. */
  readonly pool: string
  readonly mirror: string
  readonly percent: number
  readonly writesOnly: boolean
  readonly counts: MirrorCounts
  readonly shards: readonly { readonly name: string; readonly up: boolean }[]
}
