/**
 * Looks at all clients a few times a second and closes those that hold what others need: memory
 * beyond the bound for all of them together, a request that never gets complete, replies that are
 * never read. Lets more replies wait for clients that read only when they have sent all. Costs a
 * request nothing.
 */
import {
  CLIENT_STALL_MS,
  IMPASSE_MS,
  IMPASSE_MS_MAX,
  PARTIAL_REQUEST_BYTES_PER_SECOND_MIN,
  WATCH_BUSY_MS,
  WATCH_MS,
} from '../limits.ts'
import type { Logger } from '../logger.ts'
import { CUT_OFF_REASONS, type CutOffReason, type CutOffs, newCutOffs } from '../stats/cut-offs.ts'
import { timerMs } from '../timer.ts'
import type { Room } from './room.ts'
import { Uploads } from './uploads.ts'

/** What is looked at of a session. */
export interface WatchedClient {
  /** Memory held for it, in and out, buffers as large as they are. */
  readonly memoryBytes: number
  /** Bytes of its incomplete or waiting requests. */
  readonly inputBytes: number
  /** Number of the incomplete request that it must complete; 0: no such request. */
  readonly partialRequest: number
  /** Bytes that the kernel has not taken from us for it. */
  readonly unsentBytes: number
  /** Bytes that the kernel has taken so far. */
  readonly sentBytes: number
  /** True: no request of it is handled while any byte waits for it. */
  restrained: boolean
  /** Bytes of its large requests in flight: they may be on their way to a shard. */
  readonly onTheWayBytes: number
  /** Bytes of its incomplete request, if that is large. */
  readonly uploadBytes: number
  /** Bytes that this request is likely to lack. */
  readonly uploadMissingBytes: number
  /** Reads no more of that until `resumeUpload`. */
  holdUpload(): void
  /** `first`: it may go on though there is little room. */
  resumeUpload(first: boolean): void
  /** It wants to send and does not read its replies, and we read no more before it does. */
  readonly inImpasse: boolean
  /** More replies may wait for it than usual. */
  readonly hasMoreRoom: boolean
  /** Lets `bytes` more bytes wait for it, until it has read all. */
  giveRoom(bytes: number): void
  destroy(): void
}

export interface ClientWatchOptions {
  readonly clients: ReadonlySet<WatchedClient>
  readonly logger: Logger
  /** Memory of all clients together; asked at each look. */
  readonly bytesMax: () => number
  /** Counts what is held for all of them. Without it the sum over the clients is taken. */
  readonly room?: Room
  /** Counts closed clients. Others than this watch may close and count some as well. */
  readonly cutOffs?: CutOffs
  /** Monotonic, milliseconds. */
  readonly clock?: () => number
}

/** Since when something about a client has not moved. */
interface Standstill {
  partialRequest: number
  partialSinceMs: number
  sentBytes: number
  sentSinceMs: number
}

export class ClientWatch {
  readonly #clients: ReadonlySet<WatchedClient>
  readonly #logger: Logger
  readonly #bytesMax: () => number
  readonly #clock: () => number
  /** Of clients with something incomplete or unsent only: nearly all others are idle. */
  readonly #standstills = new Map<WatchedClient, Standstill>()
  readonly #restrained = new Set<WatchedClient>()
  readonly #room: Room | undefined
  readonly #uploads = new Uploads()
  readonly #cutOffs: CutOffs
  /** Of those, what the log knows. */
  readonly #toldCutOffs: CutOffs
  /** Since when clients in an impasse get no more room; undefined while they do. */
  #noRoomSinceMs: number | undefined
  #timer: NodeJS.Timeout | undefined

  constructor({
    clients,
    logger,
    bytesMax,
    room,
    cutOffs = newCutOffs(),
    clock,
  }: ClientWatchOptions) {
    this.#clients = clients
    this.#logger = logger
    this.#bytesMax = bytesMax
    this.#room = room
    this.#cutOffs = cutOffs
    this.#toldCutOffs = { ...cutOffs }
    this.#clock = clock ?? (() => performance.now())
  }

  /** Looks from now on until `stop`, or until there is no client left. */
  start(): void {
    if (this.#timer === undefined) this.#arm(WATCH_MS)
  }

  stop(): void {
    this.#room?.trim()
    this.#tellOfOthers()
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#uploads.clear()
    this.#standstills.clear()
    this.#restrained.clear()
  }

  /** One look. Returns the bytes held for all clients, as they were before. */
  look(): number {
    const nowMs = this.#clock()
    const stalled: WatchedClient[] = []
    const inImpasse: WatchedClient[] = []
    let clientBytes = 0
    for (const client of this.#clients) {
      clientBytes += client.memoryBytes
      if (client.unsentBytes === 0 && client.partialRequest === 0) this.#standstills.delete(client)
      else if (this.#isStalled(client, nowMs)) stalled.push(client)
      else if (client.inImpasse && this.#unreadMs(client, nowMs) >= IMPASSE_MS) {
        inImpasse.push(client)
      }
    }
    for (const client of stalled) this.#cutOff(client, 'standstill')
    if (stalled.length > 0) {
      this.#logger.warn({ clients: stalled.length }, 'clients closed that had come to a standstill')
    }
    const totalBytes = Math.max(clientBytes, this.#room?.heldBytes ?? 0)
    this.#endImpasses(inImpasse, totalBytes, nowMs)
    this.#uploads.look(this.#clients, this.#bytesMax() - totalBytes, this.#bytesMax(), nowMs)
    this.#boundMemory(totalBytes)
    this.#tellOfOthers()
    this.#forgetGone()
    this.#room?.trim()
    return totalBytes
  }

  #cutOff(client: WatchedClient, reason: CutOffReason): void {
    this.#cutOffs[reason]++
    this.#toldCutOffs[reason]++
    client.destroy()
  }

  /** Sessions close clients themselves and have no log. */
  #tellOfOthers(): void {
    for (const reason of Object.keys(CUT_OFF_REASONS) as CutOffReason[]) {
      const clients = this.#cutOffs[reason] - this.#toldCutOffs[reason]
      if (clients === 0) continue
      this.#toldCutOffs[reason] += clients
      this.#logger.warn({ clients, reason: CUT_OFF_REASONS[reason] }, 'clients closed')
    }
  }

  /**
   * Such a client waits for us to read, and we wait for it. While there is room each gets a part of it.
   * After a while without room the client that holds most is closed for the others.
   */
  #endImpasses(inImpasse: readonly WatchedClient[], totalBytes: number, nowMs: number): void {
    const roomBytes = 0.75 * this.#bytesMax() - totalBytes
    if (inImpasse.length === 0 || roomBytes > 0) {
      this.#noRoomSinceMs = undefined
      for (const client of inImpasse) client.giveRoom(roomBytes / inImpasse.length)
      return
    }
    this.#noRoomSinceMs ??= nowMs
    if (nowMs - this.#noRoomSinceMs < IMPASSE_MS_MAX) return
    const [first, ...others] = inImpasse as readonly [WatchedClient, ...WatchedClient[]]
    const greediest = others.reduce((most, each) => {
      return each.memoryBytes > most.memoryBytes ? each : most
    }, first)
    const facts = { heldBytes: totalBytes, maxBytes: this.#bytesMax() }
    this.#logger.warn(facts, 'client closed that sent and did not read, for want of room')
    this.#cutOff(greediest, 'impasse')
  }

  /** For how long it has read nothing of what waits for it. */
  #unreadMs(client: WatchedClient, nowMs: number): number {
    const known = this.#standstills.get(client)
    return known === undefined ? 0 : nowMs - known.sentSinceMs
  }

  /** A client may leave in the middle of a request, without a call to this watch. */
  #forgetGone(): void {
    for (const client of this.#standstills.keys()) {
      if (!this.#clients.has(client)) this.#standstills.delete(client)
    }
    for (const client of this.#restrained) {
      if (!this.#clients.has(client)) this.#restrained.delete(client)
    }
  }

  /** How many clients have an entry here: at most as many as there are clients. */
  get remembered(): number {
    return new Set([...this.#standstills.keys(), ...this.#restrained]).size
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => {
      // Within WATCH_MS a fast shard fills what is left of it; long before that we look closer.
      const isBusy = this.look() > this.#bytesMax() / 4 || this.#hasUnread()
      if (this.#clients.size === 0) this.stop()
      else this.#arm(isBusy ? WATCH_BUSY_MS : WATCH_MS)
    }, timerMs(delayMs))
  }

  /** Some client in an impasse counts on our looking again soon. */
  #hasUnread(): boolean {
    for (const client of this.#standstills.keys()) if (client.inImpasse) return true
    return false
  }

  #isStalled(client: WatchedClient, nowMs: number): boolean {
    const { partialRequest, sentBytes, unsentBytes, inputBytes } = client
    let known = this.#standstills.get(client)
    if (known === undefined) {
      known = { partialRequest, partialSinceMs: nowMs, sentBytes, sentSinceMs: nowMs }
      this.#standstills.set(client, known)
    }
    if (known.partialRequest !== partialRequest) {
      known.partialRequest = partialRequest
      known.partialSinceMs = nowMs
    }
    if (unsentBytes === 0 || known.sentBytes !== sentBytes) {
      known.sentBytes = sentBytes
      known.sentSinceMs = nowMs
    }
    const partialMs = CLIENT_STALL_MS + (1000 * inputBytes) / PARTIAL_REQUEST_BYTES_PER_SECOND_MIN
    const isPartial = partialRequest !== 0 && nowMs - known.partialSinceMs >= partialMs
    return isPartial || nowMs - known.sentSinceMs >= CLIENT_STALL_MS
  }

  /**
   * From half of the bound on, clients that hold more than their share are not read from; over the
   * bound those that hold most are closed, until the others have room.
   */
  #boundMemory(totalBytes: number): void {
    const bytesMax = this.#bytesMax()
    if (totalBytes <= bytesMax / 2) {
      if (totalBytes <= bytesMax / 4) this.#relent()
      return
    }
    const share = bytesMax / 2 / this.#clients.size
    const greedy = [...this.#clients]
      .map((client) => ({ client, bytes: client.memoryBytes + client.onTheWayBytes }))
      .filter(({ bytes }) => bytes > share)
      .sort((one, other) => this.#rank(one) - this.#rank(other))
    let leftBytes = totalBytes
    let closed = 0
    for (const { client, bytes } of greedy) {
      if (leftBytes > bytesMax) {
        this.#cutOff(client, 'memory')
        leftBytes -= bytes
        closed++
      } else if (!client.restrained && !client.hasMoreRoom) {
        client.restrained = true
        this.#restrained.add(client)
      }
    }
    if (closed === 0) return
    const facts = { clients: closed, heldBytes: totalBytes, maxBytes: bytesMax }
    this.#logger.warn(facts, 'clients closed that held too much memory')
  }

  /** A client whose request is nearly complete comes last, even if the request is large. */
  #rank({ client, bytes }: { readonly client: WatchedClient; readonly bytes: number }): number {
    return client === this.#uploads.first ? 0 : -bytes
  }

  #relent(): void {
    for (const client of this.#restrained) client.restrained = false
    this.#restrained.clear()
  }
}
