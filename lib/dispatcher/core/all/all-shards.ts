/**
 * Commands for all shards. Where no place moves they are begun while all shards can be reached, and refused
 * otherwise. Masters of a cluster have heirs: a command waits for them, before it is begun and while it is
 * under way, and its client's other requests are not under way with it, so that none changes places with it.
 */
import type { MovingPlaces } from '../../../pool/router/moving-places.ts'
import { KeptRequest } from '../../../resp/kept-request.ts'
import type { Request } from '../../../resp/request.ts'
import { type Frame, ownFrame } from '../../../upstream/backend.ts'
import type { Shard } from '../../../upstream/shard.ts'
import type { Client } from '../client.ts'
import { Collector } from '../collector.ts'
import { type Merge, merged, type ReplyTarget } from '../finish.ts'
import { Broadcast, type Node } from './broadcast.ts'
import { Patience } from './patience.ts'

export type OneOfAll = Node & Pick<Shard, 'refusal' | 'up'>

/** What becomes of the replies. */
export interface Ending {
  readonly isReadonly: boolean
  readonly merge: Merge
  readonly target: ReplyTarget
  readonly ticket: number
}

export class AllShards<T extends OneOfAll> {
  readonly #shards: () => readonly T[]
  readonly #places: MovingPlaces | undefined
  readonly #patience: Patience | undefined

  /** `shards`: at this moment. `places`: those that move. */
  constructor(shards: () => readonly T[], places: MovingPlaces | undefined) {
    this.#shards = shards
    this.#places = places
    this.#patience = places && new Patience(places)
  }

  /** Sends the request to all, and the merged reply to the client. */
  send(client: Client, request: Request & Frame, isReadonly: boolean, merge: Merge): void {
    const { session } = client
    if (this.#places === undefined) {
      if (!this.areUp(client, request)) return
      const ticket = session.open()
      this.sendFrame(client, request, { isReadonly, merge, target: session, ticket })
    } else if (session.inFlight > 0) {
      session.defer(request)
    } else if (this.areUp(client, request)) {
      const frame = ownFrame(new KeptRequest(request).bytes)
      const ticket = session.open()
      session.hold()
      this.sendFrame(client, frame, { isReadonly, merge, target: releasing(session), ticket })
    }
  }

  /** Sends the frame to all, and the merged reply to the target. Where places move, it never changes. */
  sendFrame(client: Client, frame: Frame, ending: Ending): void {
    const { isReadonly, merge, target, ticket } = ending
    const { session, lane } = client
    const shards = this.#shards()
    const finish = merged(target, ticket, isReadonly, merge)
    const beneficiary = isReadonly ? session : undefined
    const sink = new Collector(shards.length, finish, undefined, beneficiary)
    const places = this.#places
    if (places !== undefined) {
      new Broadcast({ client, places, shards: this.#shards, frame, sink }).send()
      return
    }
    for (let part = 0; part < shards.length; part++) {
      shards[part]?.send(session.id, lane, frame, sink, part)
    }
  }

  /**
   * Whether a command for all may be begun. If not, it waits for the heir of one that is away, and is handled
   * again, or it is refused.
   */
  areUp(client: Client, request: Request): boolean {
    const isUp = (): boolean => !this.#shards().some((shard) => this.#isMissed(client, shard))
    if (this.#patience?.waits(client, request, isUp)) return false
    const away = this.#shards().find((shard) => shard.isAway(client.lane, client.session.id))
    if (away !== undefined) client.session.refuse(away.refusal())
    return away === undefined
  }

  /** Whether the request waits for a shard that is away, or its heir, to be handled again. */
  waitsFor(client: Client, request: Request, shard: () => T): boolean {
    const isUp = (): boolean => !this.#isMissed(client, shard())
    return this.#patience?.waits(client, request, isUp) === true
  }

  /** It is away, or another attempt to reach it is under way; and it may have an heir. */
  #isMissed({ lane, session }: Client, shard: T): boolean {
    const isThere = shard.up && !shard.isAway(lane, session.id)
    return !isThere && this.#places?.has(shard) === true
  }
}

/** The session, which handles its next request when it has this reply. */
function releasing(session: Client['session']): ReplyTarget {
  return {
    reply: (ticket, bytes, start, end, last) => {
      session.reply(ticket, bytes, start, end, last)
      if (last) session.release()
    },
    failed: (ticket, failure) => {
      session.failed(ticket, failure)
      session.release()
    },
  }
}
