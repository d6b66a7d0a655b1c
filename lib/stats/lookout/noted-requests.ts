/**
 * Facts about requests that wait for a reply, in arrays parallel to a queue's own, so that a
 * request costs no allocation.
 */
import { UNKNOWN_COMMAND } from '../command-counts.ts'
import type { InHand } from '../in-hand.ts'
import { NO_KEY } from './shown-key.ts'

export class NotedRequests {
  readonly #commands: Int32Array
  readonly #keyHashes: Float64Array
  /** Undefined until a key is kept. */
  #keys: (string | undefined)[] | undefined

  constructor(capacity: number) {
    this.#commands = new Int32Array(capacity).fill(UNKNOWN_COMMAND)
    this.#keyHashes = new Float64Array(capacity).fill(NO_KEY)
  }

  put(at: number, { command, keyHash, key }: InHand): void {
    this.#commands[at] = command
    this.#keyHashes[at] = keyHash
    if (key !== undefined) this.#keep(at, key)
  }

  /** The request at `at` of `other` is at `to` here. */
  take(to: number, other: NotedRequests, at: number): void {
    this.#commands[to] = other.commandAt(at)
    this.#keyHashes[to] = other.keyHashAt(at)
    const key = other.keyAt(at)
    if (key !== undefined) this.#keep(to, key)
  }

  /** Lets the key go. */
  drop(at: number): void {
    if (this.#keys !== undefined) this.#keys[at] = undefined
  }

  /** A row's id; UNKNOWN_COMMAND: the ambassador's own request. */
  commandAt(at: number): number {
    return this.#commands[at] as number
  }

  keyHashAt(at: number): number {
    return this.#keyHashes[at] as number
  }

  keyAt(at: number): string | undefined {
    return this.#keys?.[at]
  }

  #keep(at: number, key: string): void {
    this.#keys ??= new Array(this.#commands.length).fill(undefined)
    this.#keys[at] = key
  }
}
