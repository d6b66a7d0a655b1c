/**
 * Requests that wait for the owners of their slots: the owner has refused them for a while, is away, or
 * is unknown. Each slot has its queue, in the order in which the requests came; other slots never wait
 * behind it. They are tried again after a while and whenever the map of slots has changed.
 */
import type { Turn } from '../../io/turn.ts'
import { RESEND_MS_MAX, RESEND_MS_MIN } from '../../limits.ts'
import type { Order, SlotRequest } from './slot-request.ts'

/** Sends the requests. */
export interface QueueOwner {
  /** Sends it, and returns true; false: it has to wait on. */
  tryAgain(request: SlotRequest): boolean
  /** Its deadline has passed. */
  expired(request: SlotRequest): void
  /** Another look at everything that has a deadline. */
  tick(nowMs: number): void
  /** Something has to be looked at again soon, besides what waits here. */
  readonly isBusy: boolean
}

interface SlotQueue {
  /** The oldest first. */
  requests: SlotRequest[]
  /** When it is tried again; the turn's clock. */
  dueMs: number
}

export class SlotQueues {
  readonly #owner: QueueOwner
  readonly #turn: Turn
  readonly #queues = new Map<number, SlotQueue>()
  #length = 0
  /** How often a request had to wait, and for how long all together. */
  held = 0
  heldMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(owner: QueueOwner, turn: Turn) {
    this.#owner = owner
    this.#turn = turn
  }

  /** Requests that wait. */
  get length(): number {
    return this.#length
  }

  add(request: SlotRequest): void {
    const { slot, order } = request
    const nowMs = this.#turn.now()
    const dueMs = nowMs + resendDelayMs(request.waits++)
    const queue = this.#queues.get(slot)
    request.isWaiting = true
    request.waitsSinceMs = nowMs
    this.held++
    order.waiting++
    this.#length++
    if (queue === undefined) this.#queues.set(slot, { requests: [request], dueMs })
    else {
      queue.dueMs = Math.min(queue.dueMs, dueMs)
      insert(queue.requests, request)
    }
    this.watch()
  }

  /** Tries all again, and looks at deadlines; goes on as long as anything is to be looked at. */
  watch(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#look(this.#turn.now())
    }, RESEND_MS_MIN)
  }

  /** The owners of slots are others. */
  retryAll(): void {
    for (const slot of [...this.#queues.keys()]) this.#retry(slot)
  }

  /** Takes those out that are older than `request`, of the same client and slot. */
  takeOlder(request: SlotRequest): SlotRequest[] {
    const queue = this.#queues.get(request.slot)
    if (queue === undefined) return []
    const older = new Set<SlotRequest>()
    for (let other = request.older; other !== undefined; other = other.older) older.add(other)
    const taken = queue.requests.filter((each) => older.has(each))
    queue.requests = queue.requests.filter((each) => !older.has(each))
    for (const each of taken) this.#left(each)
    if (queue.requests.length === 0) this.#queues.delete(request.slot)
    return taken
  }

  /** All that wait, which then wait no more. */
  clear(): SlotRequest[] {
    const all = [...this.#queues.values()].flatMap(({ requests }) => requests)
    this.#queues.clear()
    for (const each of all) this.#left(each)
    clearTimeout(this.#timer)
    this.#timer = undefined
    return all
  }

  #left(request: SlotRequest): void {
    request.isWaiting = false
    this.heldMs += this.#turn.now() - request.waitsSinceMs
    request.order.waiting--
    this.#length--
  }

  #look(nowMs: number): void {
    for (const [slot, { requests, dueMs }] of [...this.#queues]) {
      if (requests.some(({ deadlineMs }) => deadlineMs <= nowMs)) this.#expire(slot, nowMs)
      if (dueMs <= nowMs) this.#retry(slot)
    }
    this.#owner.tick(nowMs)
    if (this.#length > 0 || this.#owner.isBusy) this.watch()
  }

  #expire(slot: number, nowMs: number): void {
    const queue = this.#queues.get(slot)
    if (queue === undefined) return
    const expired = queue.requests.filter(({ deadlineMs }) => deadlineMs <= nowMs)
    queue.requests = queue.requests.filter(({ deadlineMs }) => deadlineMs > nowMs)
    if (queue.requests.length === 0) this.#queues.delete(slot)
    for (const request of expired) {
      this.#left(request)
      this.#owner.expired(request)
    }
  }

  #retry(slot: number): void {
    const queue = this.#queues.get(slot)
    if (queue === undefined) return
    // Those that are refused again, at once, come into a queue of their own: behind the ones that stay.
    this.#queues.delete(slot)
    const stuck = new Set<Order>()
    for (const request of queue.requests) {
      this.#left(request)
      const { order } = request
      // A newer one is on its way: only its reply tells whether this one may still be sent.
      const goes = !stuck.has(order) && !request.isFollowed && this.#owner.tryAgain(request)
      if (goes) continue
      stuck.add(order)
      this.add(request)
    }
  }
}

/** By the order in which a client's requests came; those of different clients have none. */
function insert(requests: SlotRequest[], request: SlotRequest): void {
  const newer = new Set<SlotRequest>()
  for (let other = request.newer; other !== undefined; other = other.newer) newer.add(other)
  const at = requests.findIndex((each) => newer.has(each))
  if (at < 0) requests.push(request)
  else requests.splice(at, 0, request)
}

/** Milliseconds before the next attempt of a request that has waited `waits` times. */
export function resendDelayMs(waits: number): number {
  return Math.min(RESEND_MS_MAX, RESEND_MS_MIN * 2 ** Math.min(waits, 10))
}
