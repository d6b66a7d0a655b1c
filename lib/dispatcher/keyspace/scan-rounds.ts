/** Rounds of SCANs over masters whose slots move, by the marks of their cursors. */
import { SCAN_ROUNDS_MAX } from '../../limits.ts'
import { firstRound, type LineOf, type Round } from '../../routing/scan-round.ts'
import type { Shard } from '../../upstream/shard.ts'

export interface KnownRound {
  readonly round: Round<Shard>
  readonly mark: bigint
  /** How often its end was looked at in vain. */
  vainLooks: number
}

/** Marks have 16 bits, and none is 0: with it a cursor could be 0, which ends a SCAN. */
const MARKS = 0xffff

export class ScanRounds {
  readonly #byMark = new Map<bigint, KnownRound>()
  #number = 0
  #newest: KnownRound | undefined

  /** Undefined: it has been forgotten, or was never known. */
  get(mark: bigint): KnownRound | undefined {
    return this.#byMark.get(mark)
  }

  /** SCANs that begin while nothing has moved are in one round. */
  first(lines: LineOf<Shard>): KnownRound {
    const newest = this.#newest
    if (newest !== undefined && isSame(newest.round.before, lines)) return newest
    this.#newest = this.add(firstRound(lines))
    return this.#newest
  }

  add(round: Round<Shard>): KnownRound {
    const mark = BigInt((this.#number++ % MARKS) + 1)
    const known = { round, mark, vainLooks: 0 }
    this.#byMark.set(mark, known)
    const [oldest] = this.#byMark.keys()
    if (this.#byMark.size > SCAN_ROUNDS_MAX && oldest !== undefined) this.#byMark.delete(oldest)
    return known
  }
}

function isSame(one: LineOf<Shard>, other: LineOf<Shard>): boolean {
  if (one.size !== other.size) return false
  return [...one].every(([master, line]) => other.has(master) && other.get(master) === line)
}
