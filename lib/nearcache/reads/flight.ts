/**
 * A read under way whose reply is to be kept. Three requests go to the shard in one piece: that the next
 * command is to be tracked, the read, and how long the key will live. The reply goes to all waiting clients
 * as it comes, and a copy is kept until the life of the key is known.
 *
 * A change of the key meanwhile *poisons* the flight: its reply is passed on and not kept.
 */
import type { Failure } from '../../failures.ts'
import { parseInteger } from '../../resp/bytes.ts'
import { isErrorKind } from '../../resp/reply-reader.ts'
import type { Request } from '../../resp/request.ts'
import type { Poison } from '../../stats/near-cache-stats.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Prefix } from '../memory/prefixes.ts'
import type { Source } from '../tracking/source.ts'

/** What each of the three requests is entered with. */
export const TRACK = 0
export const READ = 1
export const EXPIRY = 2

const PLUS = 0x2b
const COLON = 0x3a
const EMPTY = Buffer.alloc(0)

/** Memory for a copy from this size on is not kept for the next flight. */
const KEPT_BYTES_MAX = 1024

export interface FlightOwner {
  /** All three have been answered, or have failed. The flight is used again after the call. */
  landed(flight: Flight): void
  poisoned(by: Poison): void
}

/** What a flight is for. */
export interface FlightPlan {
  /** The number of the request while nothing happens to its place, whatever the connection. */
  readonly identity: number
  readonly keyHash: number
  readonly source: Source
  readonly prefix: Prefix
  readonly sentMs: number
  /** More bytes than this, of request and reply, are not kept. */
  readonly bytesMax: number
  /** What it may live at most, milliseconds, and at most so long if nobody asks the key. */
  readonly maxAgeMs: number
  readonly asksExpiry: boolean
}

export class Flight implements ReplySink {
  readonly #owner: FlightOwner
  plan: FlightPlan | undefined
  /** The source's, when it took off. */
  number = 0
  /** Another that reads the same key. */
  next: Flight | undefined
  #frame = EMPTY
  #frameLength = 0
  #reply = EMPTY
  #replyLength = 0
  #sinks: ReplySink[] = []
  #tickets: number[] = []
  /** Part of the reply has come. */
  #begun = false
  #poisoned = false
  #owed = 0
  #lifeMs = 0

  constructor(owner: FlightOwner) {
    this.#owner = owner
  }

  begin(plan: FlightPlan, { bytes, frameStart, frameEnd }: Request): void {
    this.plan = plan
    this.number = plan.source.number
    this.#frameLength = frameEnd - frameStart
    if (this.#frame.length < this.#frameLength) {
      this.#frame = Buffer.allocUnsafeSlow(Math.max(256, this.#frameLength))
    }
    this.#frame.set(bytes.subarray(frameStart, frameEnd))
    this.#replyLength = 0
    this.#begun = false
    this.#poisoned = false
    this.#owed = plan.asksExpiry ? 3 : 2
    this.#lifeMs = plan.maxAgeMs
  }

  /** Ready for the next one. */
  reset(): void {
    this.plan = undefined
    this.next = undefined
    if (this.#reply.length > KEPT_BYTES_MAX) this.#reply = EMPTY
    if (this.#frame.length > KEPT_BYTES_MAX) this.#frame = EMPTY
    this.#sinks.length = 0
    this.#tickets.length = 0
  }

  /** The client that asked. The reply of this flight is the reply to its request, too. */
  join(sink: ReplySink, ticket: number): void {
    this.#sinks.push(sink)
    this.#tickets.push(ticket)
  }

  /** Whether it is for this request, which has this number, over this connection. */
  isFor(identity: number, source: Source, bytes: Uint8Array, start: number, end: number): boolean {
    const { plan } = this
    if (plan?.source !== source || plan.identity !== identity) return false
    if (this.#frameLength !== end - start) return false
    return this.#frame.compare(bytes, start, end, 0, this.#frameLength) === 0
  }

  /** Whether a request that comes now may have the same reply. */
  get isJoinable(): boolean {
    return !this.#begun && !this.#poisoned && this.isTracked
  }

  /** What it brings is no older. */
  get sentMs(): number {
    return this.plan?.sentMs ?? 0
  }

  get hasBegun(): boolean {
    return this.#begun
  }

  /** Announcements have come without a break since it took off. */
  get isTracked(): boolean {
    return this.plan?.source.number === this.number
  }

  get isPoisoned(): boolean {
    return this.#poisoned
  }

  poison(by: Poison): void {
    if (this.#poisoned) return
    this.#poisoned = true
    this.#owner.poisoned(by)
  }

  get frame(): Buffer {
    return this.#frame.subarray(0, this.#frameLength)
  }

  get replyCopy(): Buffer {
    return this.#reply.subarray(0, this.#replyLength)
  }

  /** When what it brings must not be used any more. */
  get expiresMs(): number {
    return this.sentMs + this.#lifeMs
  }

  /** ReplySink */
  reply(tag: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    if (tag === READ) this.#take(bytes, start, end, last)
    else if (tag === TRACK && bytes[start] !== PLUS) this.poison('reply')
    else if (tag === EXPIRY) this.#live(bytes, start, end)
    if (last) this.#settle()
  }

  /** ReplySink */
  failed(tag: number, failure: Failure): void {
    this.poison('lost')
    if (tag === READ) {
      for (let i = 0; i < this.#sinks.length; i++) {
        this.#sinks[i]?.failed(this.#tickets[i] as number, failure)
      }
    }
    this.#settle()
  }

  #take(bytes: Buffer, start: number, end: number, last: boolean): void {
    if (!this.#begun && isErrorKind(bytes[start])) this.poison('reply')
    this.#begun = true
    if (!this.#poisoned) this.#keep(bytes, start, end)
    if (last) this.plan?.source.confirm(this.plan.sentMs)
    for (let i = 0; i < this.#sinks.length; i++) {
      this.#sinks[i]?.reply(this.#tickets[i] as number, bytes, start, end, last)
    }
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const length = this.#replyLength + end - start
    if (this.#frameLength + length > (this.plan?.bytesMax ?? 0)) {
      this.poison('reply')
      return
    }
    if (length > this.#reply.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(256, 2 * this.#reply.length, length))
      this.#reply.copy(larger, 0, 0, this.#replyLength)
      this.#reply = larger
    }
    bytes.copy(this.#reply, this.#replyLength, start, end)
    this.#replyLength = length
  }

  /** The answer of PTTL: -1 for a key that does not expire, -2 for one that is not there. */
  #live(bytes: Buffer, start: number, end: number): void {
    const ms = bytes[start] === COLON ? parseInteger(bytes, start + 1, end - 2) : undefined
    if (ms === undefined) this.poison('reply')
    else if (ms >= 0) this.#lifeMs = Math.min(this.#lifeMs, ms)
  }

  #settle(): void {
    this.#owed--
    if (this.#owed === 0) this.#owner.landed(this)
  }
}
