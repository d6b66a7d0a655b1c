/**
 * What is known of one key whose values are ascending numbers, written by one writer at a time, and what a
 * reader may therefore be told. That the key is absent is a version, too.
 */

/** A read may share the reply to an earlier one that was answered while the key was there and is on its way. */
const UNDER_WAY_MS = 1000

export interface Floors {
  readonly sentMs: number
  /** The newest version that the reader's ambassador had acknowledged. */
  readonly own: number
  /** The newest that anybody had acknowledged longer ago than what is kept may be old. */
  readonly bound: number
}

export class Versions {
  readonly name: string
  /** Whether it is a list whose first element is the value; otherwise it is a string. */
  readonly isList: boolean
  #last = 0
  /** By ambassador. */
  readonly #own: number[] = [0, 0]
  readonly #acknowledged: { readonly ms: number; readonly version: number }[] = []
  /** Versions in which the key is absent; 0 is before the first write. */
  readonly #absent: number[] = [0]
  /** From when on a version must not be seen, by version. */
  readonly #expiresMs = new Map<number, number>()

  constructor(name: string, isList = false) {
    this.name = name
    this.isList = isList
  }

  /** The next version, about to be written. */
  next(): number {
    return ++this.#last
  }

  nextAbsent(): number {
    const version = this.next()
    this.#absent.push(version)
    return version
  }

  /** `ambassador`: through which one it was written; undefined: through none. */
  acknowledge(version: number, ambassador: number | undefined): void {
    if (ambassador !== undefined) this.acknowledgeTo(ambassador, version)
    this.#acknowledged.push({ ms: performance.now(), version })
  }

  /** Through this ambassador, by what Redis announces to nobody else. */
  acknowledgeTo(ambassador: number, version: number): void {
    this.#own[ambassador] = version
  }

  /** The version has been acknowledged with so long to live. */
  expires(version: number, lifeMs: number): void {
    this.#expiresMs.set(version, performance.now() + lifeMs + UNDER_WAY_MS)
  }

  floors(ambassador: number, staleMs: number): Floors {
    const sentMs = performance.now()
    let at = this.#acknowledged.length - 1
    while (at >= 0 && (this.#acknowledged[at]?.ms ?? 0) > sentMs - staleMs) at--
    const bound = this.#acknowledged[at]?.version ?? 0
    return { sentMs, own: this.#own[ambassador] ?? 0, bound }
  }

  /**
   * Which version the reply is, if it is none that may not be: the number that was read, or undefined for
   * absent. `seen`: the newest that this reader has seen by this command.
   */
  judge(read: number | undefined, floors: Floors, seen: number): { version: number; lie?: string } {
    const least = Math.max(floors.own, floors.bound, seen)
    // Of several times that it was absent the first that may be meant is believed.
    const version = read ?? this.#absent.find((each) => each >= least) ?? this.#absent.at(-1) ?? 0
    const told = `${this.name} is ${read ?? 'absent'}`
    if (version < floors.own)
      return { version, lie: `${told} after ${floors.own} was acknowledged` }
    if (version < floors.bound) return { version, lie: `${told}, long after ${floors.bound}` }
    if (version < seen) return { version, lie: `${told}, and ${seen} was seen before` }
    if (floors.sentMs > (this.#expiresMs.get(version) ?? Number.POSITIVE_INFINITY)) {
      return { version, lie: `${told}, and has expired` }
    }
    return { version }
  }
}
