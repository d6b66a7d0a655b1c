/** A socket to a simulated shard: opens, breaks and says so when the world wants it. */
import type net from 'node:net'
import type { BytesHandler } from '../../lib/io/preallocated-read.ts'
import { FakeTarget } from '../support/fake-target.ts'

type Listener = (error?: Error) => void

export class SimulatedSocket extends FakeTarget {
  destroyed = false
  opened = false
  readonly #onBytes: BytesHandler
  readonly #onOpen: () => void
  readonly #onDestroy: () => void
  readonly #onClose: Listener[] = []
  #saidSo = false

  /** `onDestroy`: nothing passes any more; 'close' comes when the world calls `sayClosed`. */
  constructor(onBytes: BytesHandler, onOpen: () => void, onDestroy: () => void) {
    super()
    this.#onBytes = onBytes
    this.#onOpen = onOpen
    this.#onDestroy = onDestroy
  }

  /** It has all that lib asks of a shard's socket, and nothing else. */
  get asNodeSocket(): net.Socket {
    return this as unknown as net.Socket
  }

  /** Bytes pass both ways. */
  get passes(): boolean {
    return this.opened && !this.destroyed
  }

  setNoDelay(): void {}

  setKeepAlive(): void {}

  on(event: string, listener: Listener): void {
    if (event === 'close') this.#onClose.push(listener)
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.#onDestroy()
  }

  open(): void {
    if (this.opened || this.destroyed) return
    this.opened = true
    this.#onOpen()
  }

  read(buffer: Buffer, length: number): void {
    if (this.passes) this.#onBytes(buffer, length)
  }

  /** As Node does, in a turn after that of `destroy`: writes end, then 'close' comes. */
  sayClosed(): void {
    if (!this.destroyed || this.#saidSo) return
    this.#saidSo = true
    this.fail()
    for (const listener of this.#onClose) listener()
  }
}
