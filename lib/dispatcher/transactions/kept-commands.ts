/**
 * What a transaction keeps here until its EXEC: commands whose shard is not known yet, commands that no
 * shard executes, and scripts to be remembered. Bounded, and counted as memory of its client.
 */
import type { CommandRow } from '../../commands/row.ts'
import { TRANSACTION_KEPT_BYTES_MAX, TRANSACTION_KEPT_MAX } from '../../limits.ts'
import type { KeptRequest } from '../../resp/kept-request.ts'
import type { Request } from '../../resp/request.ts'
import type { Script } from '../scripts/script-cache.ts'
import type { Lesson } from '../scripts/scripts.ts'

/** What the shard will be sent, and the script that it needs for that. */
export interface EarlyCommand {
  readonly frame: Buffer
  readonly script: Script | undefined
}

/** A command that waits for EXEC here. */
export interface OwnCommand {
  /** Commands that were queued before it. */
  readonly place: number
  readonly request: KeptRequest
  readonly row: CommandRow
  /** The shard executes something in its place too, whose reply is not for the client. */
  readonly hasTwin: boolean
}

/** Whose memory it is. */
export interface Keeper {
  keptBytes: number
}

export class KeptCommands {
  /** For the shard, as soon as it is known; the client has been answered QUEUED. */
  early: EarlyCommand[] = []
  /** Commands that no shard will execute. */
  readonly own: OwnCommand[] = []
  /** What will be known about scripts when they are executed. */
  readonly lessons: Lesson[] = []
  readonly #keeper: Keeper
  #bytes = 0
  /** Commands that wait for other places. */
  #elsewhere = 0

  constructor(keeper: Keeper) {
    this.#keeper = keeper
  }

  hasRoomFor({ frameStart, frameEnd }: Request): boolean {
    const count = this.early.length + this.own.length + this.lessons.length + this.#elsewhere
    const bytes = this.#bytes + (frameEnd - frameStart)
    return count < TRANSACTION_KEPT_MAX && bytes <= TRANSACTION_KEPT_BYTES_MAX
  }

  /** Takes room for the request, which the caller then adds; false: there is no room for it. */
  takeRoom(request: Request): boolean {
    if (!this.hasRoomFor(request)) return false
    const length = request.frameEnd - request.frameStart
    this.#bytes += length
    this.#keeper.keptBytes += length
    return true
  }

  /** As `takeRoom`, for a request that waits with the commands of other places. */
  takeRoomElsewhere(request: Request): boolean {
    const isTaken = this.takeRoom(request)
    if (isTaken) this.#elsewhere++
    return isTaken
  }

  /** There is something to do here when the shard has executed its part. */
  get mustReplay(): boolean {
    return this.own.length + this.lessons.length > 0
  }

  /**
   * The shard executes a command that changes the connection itself, which must not serve another client after
   * that.
   */
  get changesConnection(): boolean {
    return this.own.some(({ hasTwin }) => hasTwin)
  }

  /** Frees the room. The commands stay with the code that carries them out. */
  letGo(): void {
    this.#keeper.keptBytes -= this.#bytes
    this.#bytes = 0
  }
}
