/**
 * What was noted of requests that wait for a reply, by place: parallel arrays beside a queue's own,
 * so that a request costs no allocation.
 */
import type { RequestNote } from './request-note.ts'
import { NO_KEY } from './shown-key.ts'

/** `startMs` of a request that may wait as long as its client likes. */
const NEVER_LATE = Number.POSITIVE_INFINITY

export class NotedRequests {
  readonly #commands: string[]
  readonly #keyHashes: Float64Array
  /** There once a key has been kept. */
  #keys: (string | undefined)[] | undefined
  readonly #startsMs: Float64Array

  constructor(capacity: number) {
    this.#commands = new Array(capacity).fill('')
    this.#keyHashes = new Float64Array(capacity).fill(NO_KEY)
    this.#startsMs = new Float64Array(capacity)
  }

  put(at: number, note: RequestNote, nowMs: number): void {
    this.#commands[at] = note.command
    this.#keyHashes[at] = note.keyHash
    this.#startsMs[at] = note.blocks ? NEVER_LATE : nowMs
    if (note.key !== undefined) this.#keep(at, note.key)
  }

  /** The request at `at` of `other` is at `to` here. */
  take(to: number, other: NotedRequests, at: number): void {
    this.#commands[to] = other.commandAt(at)
    this.#keyHashes[to] = other.keyHashAt(at)
    this.#startsMs[to] = other.startMsAt(at)
    const key = other.keyAt(at)
    if (key !== undefined) this.#keep(to, key)
  }

  /** Lets the key go. */
  drop(at: number): void {
    if (this.#keys !== undefined) this.#keys[at] = undefined
  }

  /** Empty: the ambassador's own request. */
  commandAt(at: number): string {
    return this.#commands[at] as string
  }

  keyHashAt(at: number): number {
    return this.#keyHashes[at] as number
  }

  keyAt(at: number): string | undefined {
    return this.#keys?.[at]
  }

  /** When the request was handed over, the turn's clock; Infinity: it may wait for ever. */
  startMsAt(at: number): number {
    return this.#startsMs[at] as number
  }

  #keep(at: number, key: string): void {
    this.#keys ??= new Array(this.#commands.length).fill(undefined)
    this.#keys[at] = key
  }
}
