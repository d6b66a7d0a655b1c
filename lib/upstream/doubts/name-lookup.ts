/**
 * Where the name of a shard leads: looked up for each new connection, at intervals, and when there is
 * reason to doubt. The newest answer counts for all, so that a new connection and the older ones never
 * go to different places.
 */
import { ADDRCONFIG, type LookupAddress, lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { RESOLVE_AGAIN_MS } from '../../limits.ts'
import type { ShardAddress } from '../connection/making/dial.ts'
import { Seldom } from './seldom.ts'

/** It leads to other addresses than before. Called before anything connects to them. */
type OnChange = (addresses: readonly string[]) => void

export class NameLookup {
  readonly #host: string
  readonly #onChange: OnChange
  readonly #doubts: Seldom
  /** Questions are numbered, since answers may come in another order. */
  #asked = 0
  #answered = 0
  #found: readonly LookupAddress[] = []
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(host: string, now: () => number, onChange: OnChange) {
    this.#host = host
    this.#onChange = onChange
    this.#doubts = new Seldom(() => this.#ask(), now)
    this.#lookAgain()
  }

  /** For those that connect. */
  readonly lookup: LookupFunction = (_host, { all }, callback) => {
    this.#ask((error) => {
      const [first] = this.#found
      if (error !== null || first === undefined) callback(error, '')
      else if (all) callback(null, [...this.#found])
      else callback(null, first.address, first.family)
    })
  }

  /** There is a sign that the name has moved. */
  doubt(): void {
    this.#doubts.ask()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#doubts.close()
  }

  #lookAgain(): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => this.#ask(() => this.#lookAgain()), RESOLVE_AGAIN_MS)
    this.#timer.unref()
  }

  #ask(done: (error: NodeJS.ErrnoException | null) => void = () => {}): void {
    const question = ++this.#asked
    // As sockets look up by themselves: no addresses of a family that this machine lacks.
    lookup(this.#host, { all: true, hints: ADDRCONFIG }, (error, found) => {
      // A failed look-up changes nothing: the last answer may still be right.
      if (error === null && question > this.#answered && !this.#closed) {
        this.#answered = question
        this.#take(found)
      }
      done(error)
    })
  }

  #take(found: readonly LookupAddress[]): void {
    const before = addressesOf(this.#found)
    const now = addressesOf(found)
    this.#found = found
    if (before.length > 0 && before.join() !== now.join()) this.#onChange(now)
  }
}

/** Undefined where there is no name to look up: an address in numbers, a unix socket. */
export function nameLookupFor(
  address: ShardAddress,
  now: () => number,
  onChange: OnChange,
): NameLookup | undefined {
  if ('path' in address || address.host === undefined || isIP(address.host) !== 0) return undefined
  return new NameLookup(address.host, now, onChange)
}

function addressesOf(found: readonly LookupAddress[]): string[] {
  return found.map(({ address }) => address).sort()
}
