/**
 * Servers that a node names and the map does not have: one that is about to get its first slot, or one that
 * somebody would like us to log in to. One node's word is not enough. A second must have it in its list, or
 * its certificate has to prove it.
 */
import { addressKey, type ServerAddress } from '../../control/server-address.ts'
import type { Failure } from '../../failures.ts'
import { GUEST_NODES_MAX, STRANGER_ASK_MS } from '../../limits.ts'
import { requestFrame } from '../../resp/encode.ts'
import { ownFrame } from '../../upstream/backend.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'

const CLUSTER_NODES = requestFrame(['CLUSTER', 'NODES'])

export interface StrangersOptions {
  /** Those that own slots. */
  readonly masters: () => readonly Shard[]
  readonly lane: Lane
  readonly now: () => number
}

interface Stranger {
  /** Nodes that have it in their lists. */
  readonly vouchers: Set<Shard>
  askedMs: number
}

export class Strangers {
  readonly #options: StrangersOptions
  readonly #byKey = new Map<string, Stranger>()

  constructor(options: StrangersOptions) {
    this.#options = options
  }

  /** Whether enough nodes have it in their lists. If that is not known they are asked, and it is no. */
  isVouchedFor(address: ServerAddress): boolean {
    const key = addressKey(address)
    const masters = this.#options.masters()
    const known = this.#byKey.get(key)
    const needed = Math.min(2, masters.length)
    if (known !== undefined && needed > 0 && known.vouchers.size >= needed) return true
    if (known === undefined && this.#byKey.size >= GUEST_NODES_MAX) this.#byKey.clear()
    const stranger = known ?? { vouchers: new Set(), askedMs: Number.NEGATIVE_INFINITY }
    this.#byKey.set(key, stranger)
    const nowMs = this.#options.now()
    if (nowMs - stranger.askedMs >= STRANGER_ASK_MS) {
      stranger.askedMs = nowMs
      for (const master of masters) this.#ask(master, address, stranger)
    }
    return false
  }

  /** What former masters have said does not count any more, and they are forgotten. */
  mastersChanged(): void {
    const masters = new Set(this.#options.masters())
    for (const { vouchers } of this.#byKey.values()) {
      for (const each of vouchers) if (!masters.has(each)) vouchers.delete(each)
    }
  }

  #ask(master: Shard, address: ServerAddress, { vouchers }: Stranger): void {
    const { lane } = this.#options
    const answer = new WholeReply((text) => {
      const isMaster = this.#options.masters().includes(master)
      if (isMaster && lists(text, address)) vouchers.add(master)
      else vouchers.delete(master)
    })
    master.send(0, lane, ownFrame(CLUSTER_NODES), answer, 0)
  }
}

/** Whether CLUSTER NODES, as `text`, has a line with this address, or with this announced name and port. */
function lists(text: string, { host, port }: ServerAddress): boolean {
  return text.split('\n').some((line) => {
    const [, place = ''] = line.split(' ')
    const [at = '', ...names] = place.split(',')
    const isThere = at.startsWith(`${host}:${port}@`)
    return isThere || (names.includes(host) && at.includes(`:${port}@`))
  })
}

/** Takes a reply as a whole; ignores failures. */
class WholeReply implements ReplySink {
  readonly #done: (text: string) => void
  #text = ''

  constructor(done: (text: string) => void) {
    this.#done = done
  }

  reply(_ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#text += bytes.toString('latin1', start, end)
    if (last) this.#done(this.#text)
  }

  failed(_ticket: number, _failure: Failure): void {}
}
