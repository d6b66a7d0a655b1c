/**
 * Stands behind one connection to a node. Requests there are entries of its FIFO and nothing else, until one of them
 * gets something else than a reply: from then on they are objects, with a history of their own.
 */
import type { Failure } from '../../failures.ts'
import { refusalIn } from '../../routing/refusal-line.ts'
import type { PlaceKeeper } from '../../upstream/connection/placed/keeping.ts'
import type { PlacedRequest } from '../../upstream/connection/placed/placed-request.ts'
import type { KeptBytes } from '../../upstream/connection/placed/sent-bytes.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'

/** Makes objects of requests. */
export interface RequestHeir {
  takeOver(request: PlacedRequest, bytes: KeptBytes, node: Shard, lane: Lane): ReplySink
  /** Requests to the node were lost, or have timed out. */
  troubled(node: Shard, failure: Failure): void
}

export class NodeKeeper implements PlaceKeeper {
  readonly #heir: RequestHeir
  readonly #node: Shard
  readonly #lane: Lane

  constructor(heir: RequestHeir, node: Shard, lane: Lane) {
    this.#heir = heir
    this.#node = node
    this.#lane = lane
  }

  /** PlaceKeeper */
  isRefusal(bytes: Buffer, start: number, end: number): boolean {
    return refusalIn(bytes, start, end) !== undefined
  }

  /** PlaceKeeper */
  takeOver(request: PlacedRequest, bytes: KeptBytes): ReplySink {
    return this.#heir.takeOver(request, bytes, this.#node, this.#lane)
  }

  /** PlaceKeeper */
  failed(failure: Failure): void {
    this.#heir.troubled(this.#node, failure)
  }
}
