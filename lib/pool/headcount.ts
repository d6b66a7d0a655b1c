/**
 * Tells when a master has other replicas than the map of its cluster says: a former master that follows its heir is
 * in no map until it has copied it. Pure but for what it remembers.
 */
import { REPLICAS_LOOKED_FOR_MS, REPLICATION_ASK_MS } from '../limits.ts'

export class Headcount {
  #told: number | undefined
  #untilMs = Number.NEGATIVE_INFINITY
  #nextMs = Number.NEGATIVE_INFINITY

  /**
   * Whether another look at the map is due. `told`: how many replicas the master has told; `known`: how many are known.
   * Some that follow a master are never in a map, so this comes to an end.
   */
  isLookDue(told: number, known: number, nowMs: number): boolean {
    if (told !== this.#told) this.#untilMs = nowMs + REPLICAS_LOOKED_FOR_MS
    this.#told = told
    if (told === known || nowMs >= this.#untilMs || nowMs < this.#nextMs) return false
    this.#nextMs = nowMs + REPLICATION_ASK_MS
    return true
  }
}
