/**
 * The rehearsal under way, if any. Its counts outlive a reload that changes neither what is to come nor
 * how keys are shown.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../../config/config.ts'
import { optionOf } from '../../config/schema.ts'
import type { MirrorState } from '../../stats/mirror/mirror-counts.ts'
import { Rehearsal } from '../../stats/preflight/rehearsal.ts'
import { type AllToCome, placesToCome } from './places-to-come.ts'

type Rehearsed = Pick<Config, 'whatIf' | 'watch'>

export class Rehearsals {
  readonly #nameOf: (command: number) => string
  readonly #mirrors: () => readonly MirrorState[]
  #rehearsed: Rehearsed | undefined
  #current: { readonly toCome: AllToCome; readonly rehearsal: Rehearsal } | undefined

  /** `nameOf`: the name of the command whose row has this id. */
  constructor(
    nameOf: (command: number) => string,
    mirrors: () => readonly MirrorState[] = () => [],
  ) {
    this.#nameOf = nameOf
    this.#mirrors = mirrors
  }

  /** Undefined: nothing is rehearsed. */
  get current() {
    return this.#current
  }

  configure({ whatIf, watch }: Rehearsed): void {
    const goesOn =
      this.#rehearsed?.watch.showKeys === watch.showKeys &&
      isDeepStrictEqual(this.#rehearsed.whatIf, whatIf)
    this.#rehearsed = { whatIf, watch }
    if (goesOn) return
    this.#current = undefined
    if (whatIf === undefined) return
    const toCome = placesToCome(whatIf)
    const rehearsal = new Rehearsal({
      whatIf: optionOf('whatIf').format.text(watch.whatIf),
      showKeys: watch.showKeys,
      shares: toCome.shares,
      nameOf: this.#nameOf,
      mirrors: this.#mirrors,
    })
    this.#current = { toCome, rehearsal }
  }
}
