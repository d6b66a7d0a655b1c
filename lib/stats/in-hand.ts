/**
 * What is being dealt with at this moment. The data path is synchronous: a request is handled, or a reply
 * passed on, from beginning to end before anything else happens. So who it is need not travel with every
 * call, to be there for those who count: they look here. One object for each ambassador; to keep any of it
 * longer is to copy it.
 */
import { UNKNOWN_COMMAND } from './command-counts.ts'
import { NO_KEY } from './lookout/shown-key.ts'

/** Instead of the moment of sending: no shard was asked. */
export const NOT_SENT = 0
/** The same: a shard was asked and did not answer, so that the wait was for it. */
export const UNANSWERED = -1

export class InHand {
  /** Of the request that is handled: its row's id; UNKNOWN_COMMAND also for what no client has asked for. */
  command = UNKNOWN_COMMAND
  /** Of the key that decides where it goes, or NO_KEY. */
  keyHash = NO_KEY
  /** That key, if keys are shown in clear. */
  key: string | undefined
  /** It may wait as long as its client likes: a blocking command. */
  blocks = false
  /** Of the reply that is passed on: when its request was sent, or NOT_SENT, or UNANSWERED. The turn's clock. */
  sentMs = NOT_SENT

  begin(command: number): void {
    this.command = command
    this.keyHash = NO_KEY
    this.key = undefined
    this.blocks = false
  }

  /** What is sent from now on is the ambassador's own. */
  end(): void {
    this.command = UNKNOWN_COMMAND
  }
}
