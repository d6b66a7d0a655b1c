/**
 * What is known of the request under way, for those who may have to tell of it later. One object
 * serves all: requests are handled one after the other, and whoever needs it longer copies it.
 */
import { NO_KEY } from './shown-key.ts'

export class RequestNote {
  /** The row's name, `client|list`; empty: nobody asked, it is the ambassador's own request. */
  command = ''
  /** Of the key that decided where it goes, or NO_KEY. */
  keyHash = NO_KEY
  /** That key, if keys are shown in clear. */
  key: string | undefined
  /** It may wait as long as its client likes: a blocking command. */
  blocks = false

  begin(command: string): void {
    this.command = command
    this.keyHash = NO_KEY
    this.key = undefined
    this.blocks = false
  }

  /** What is sent from now on is nobody's. */
  end(): void {
    this.command = ''
  }
}
