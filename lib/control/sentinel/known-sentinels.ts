/**
 * Which sentinels there are: which addresses are one and the same sentinel, and which sentinel is there
 * no more. Whoever asks for that closes what is left.
 */
import type { ToldSentinel } from './reports.ts'
import type { Sentinel } from './sentinel.ts'

export interface KnownSentinel {
  /** `host:port`, as configured or told. */
  readonly name: string
  /** What it answers to SENTINEL MYID, or what others say that it does; undefined: not known. */
  id: string | undefined
  /** It is asked for ever, whoever names it. */
  readonly isConfigured: boolean
  readonly sentinel: Pick<Sentinel, 'reachable' | 'ask' | 'hurry' | 'close'>
  /** By master: the names of the other sentinels that it names. */
  readonly named: Map<string, ReadonlySet<string>>
}

/** What ends with a change of what is known. */
export interface Ended {
  /** They are not asked any more. */
  readonly left: readonly KnownSentinel['sentinel'][]
  /** Nobody speaks with these voices any more. */
  readonly voices: readonly string[]
}

const NOTHING: Ended = { left: [], voices: [] }

export class KnownSentinels {
  /** By name, those that are configured first. */
  readonly #byName = new Map<string, KnownSentinel>()

  get all(): readonly KnownSentinel[] {
    return [...this.#byName.values()]
  }

  /** By voice. */
  get states(): { readonly address: string; readonly reachable: boolean }[] {
    return [...this.#voices].map((address) => ({ address, reachable: this.answers(address) }))
  }

  get(name: string): KnownSentinel | undefined {
    return this.#byName.get(name)
  }

  /** By this name, or by another one that answers. */
  has(name: string, id: string | undefined): boolean {
    if (this.#byName.has(name)) return true
    return id !== undefined && this.all.some((each) => each.id === id && each.sentinel.reachable)
  }

  add(known: KnownSentinel): void {
    this.#byName.set(known.name, known)
  }

  /** The first of the names by which this sentinel is known. */
  voiceOf(name: string): string {
    const id = this.#byName.get(name)?.id
    if (id === undefined) return name
    return this.all.find((each) => each.id === id)?.name ?? name
  }

  /** Whether a sentinel with this voice answers. */
  answers(voice: string): boolean {
    return this.all.some(({ name, sentinel }) => {
      return sentinel.reachable && this.voiceOf(name) === voice
    })
  }

  /** It has said who it is. What was only named is left when the same sentinel answers elsewhere. */
  identify(name: string, id: string | undefined): Ended {
    const known = this.#byName.get(name)
    if (known === undefined) return NOTHING
    return this.#change(() => {
      known.id = id
      const twins = this.all.filter((each) => id !== undefined && each.id === id)
      const kept = twins.find(({ isConfigured }) => isConfigured) ?? known
      // It answers, though that has not been told yet.
      const isThere = kept === known || kept.sentinel.reachable
      return twins.filter((each) => isThere && each !== kept && !each.isConfigured)
    })
  }

  /** It names these. What is away and named by nobody who answers is forgotten. */
  named(name: string, master: string, others: readonly ToldSentinel[]): Ended {
    const names = others.map(({ host, port }) => `${host}:${port}`)
    this.#byName.get(name)?.named.set(master, new Set(names))
    const answering = this.all.filter(({ sentinel }) => sentinel.reachable)
    const isNamed = (wanted: string): boolean => {
      return answering.some(({ named }) => [...named.values()].some((each) => each.has(wanted)))
    }
    return this.#change(() => {
      return this.all.filter((each) => {
        return !each.isConfigured && !each.sentinel.reachable && !isNamed(each.name)
      })
    })
  }

  forgetMaster(master: string): void {
    for (const { named } of this.#byName.values()) named.delete(master)
  }

  clear(): void {
    this.#byName.clear()
  }

  get #voices(): ReadonlySet<string> {
    return new Set(this.all.map(({ name }) => this.voiceOf(name)))
  }

  /** `change` gives what is left by it. */
  #change(change: () => readonly KnownSentinel[]): Ended {
    const before = this.#voices
    const left = change()
    for (const { name } of left) this.#byName.delete(name)
    const after = this.#voices
    return {
      left: left.map(({ sentinel }) => sentinel),
      voices: [...before].filter((voice) => !after.has(voice)),
    }
  }
}
