/**
 * The request or reply that is handled at this moment. The data path is synchronous: a request is handled, or
 * a reply passed on, from beginning to end before anything else happens. So the facts about it need not travel
 * with every call: code that counts reads them here. There is one object for each ambassador; a value that is
 * needed longer must be copied.
 */
import { UNKNOWN_COMMAND } from './command-counts.ts'
import { NO_KEY } from './lookout/shown-key.ts'

/** In place of the time of sending: no shard was asked. */
export const NOT_SENT = 0
/** In place of the time of sending: a shard was asked and did not answer, so the wait was for it. */
export const UNANSWERED = -1

export class InHand {
  /**
   * The row's id of the current request; UNKNOWN_COMMAND also for requests that are the ambassador's own.
   */
  command = UNKNOWN_COMMAND
  /** The hash of the key that decides where it goes, or NO_KEY. */
  keyHash = NO_KEY
  /** That key, if keys are shown in clear. */
  key: string | undefined
  /** It may wait as long as its client likes: a blocking command. */
  blocks = false
  /** When the request of the current reply was sent, by the turn's clock; or NOT_SENT, or UNANSWERED. */
  sentMs = NOT_SENT

  begin(command: number): void {
    this.command = command
    this.keyHash = NO_KEY
    this.key = undefined
    this.blocks = false
  }

  /** The request is over: what is sent from now on is the ambassador's own. */
  end(): void {
    this.command = UNKNOWN_COMMAND
  }
}
