/** What this ambassador's clients write: told of every request, it removes what is kept of their keys. */
import { findKeys, KeyPositions } from '../commands/keys.ts'
import type { CommandRow } from '../commands/row.ts'
import type { Request } from '../resp/request.ts'
import { hashBytes } from './memory/hash.ts'
import { INDIFFERENT, READS_SEVERAL, type RowKinds, RUNS_SCRIPT, WRITES } from './row-kinds.ts'
import { Life, type Writer, Writes } from './writes.ts'

export interface OwnWritesOwner {
  /** Scripts write the keys that they declare and no others. */
  readonly scriptsDeclareKeys: boolean
  /** Whether anything of the key may be kept. */
  mayKeep(bytes: Buffer, start: number, end: number): boolean
  /** A client is about to write the key, or any key. */
  writesKey(keyHash: number): void
  writesAnything(): void
}

export class OwnWrites {
  readonly writes = new Writes()
  readonly #kinds: RowKinds
  readonly #owner: OwnWritesOwner
  /** Of clients in a transaction. */
  readonly #transactions = new WeakMap<Writer, Life>()
  readonly #keys = new KeyPositions()

  constructor(kinds: RowKinds, owner: OwnWritesOwner) {
    this.#kinds = kinds
    this.#owner = owner
  }

  /** A request of the client is about to be dealt with, in whatever way. */
  about(client: Writer, request: Request, row: CommandRow): void {
    const kind = this.#kinds.of(row)
    const { mode } = client
    // In a transaction reads count as well: a client that has read a key there may not see an older value.
    if (mode === undefined && kind <= READS_SEVERAL) return
    const life = mode === undefined ? new Life(client) : this.#transaction(client)
    if (kind === INDIFFERENT) return
    const declares = kind === RUNS_SCRIPT && this.#owner.scriptsDeclareKeys
    if (kind <= WRITES || declares) this.#writesKeys(life, request, row)
    else this.#writesAnything(life)
  }

  #transaction(client: Writer): Life {
    const known = this.#transactions.get(client)
    if (known !== undefined && !known.isOver) {
      known.extend()
      return known
    }
    const life = new Life(client)
    this.#transactions.set(client, life)
    return life
  }

  #writesKeys(life: Life, request: Request, row: CommandRow): void {
    const { bytes, offsets } = request
    const count = findKeys(row, request, this.#keys)
    for (let i = 0; i < count; i++) {
      const at = this.#keys.positions[i] as number
      const start = offsets[2 * at] as number
      const end = offsets[2 * at + 1] as number
      if (!this.#owner.mayKeep(bytes, start, end)) continue
      const keyHash = hashBytes(bytes, start, end)
      this.#owner.writesKey(keyHash)
      this.writes.add(keyHash, life)
    }
  }

  #writesAnything(life: Life): void {
    this.writes.addAnything(life)
    this.#owner.writesAnything()
  }
}
