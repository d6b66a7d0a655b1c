/**
 * What the sentinels say of one master, and which of them to believe. Pure.
 *
 * Each sentinel has a view of its own, and a view may be old for ever (redis#12271): the highest
 * configuration epoch is the newest. One voice alone, however new, may be wrong; it is believed when it
 * names a server that other sentinels know as a replica of this master, as the heir of a failover is.
 * Silence is no consent: a sentinel that cannot be reached counts among those that most must outnumber.
 */
import { addressKey, type ServerAddress } from '../../control/server-address.ts'
import { SENTINEL_REPLICAS_MAX } from '../../limits.ts'

/** What one sentinel answers about a master. */
export interface MasterAnswer {
  readonly address: ServerAddress
  /** The `config-epoch` of SENTINEL MASTER: it rises with each failover. */
  readonly epoch: number
  readonly replicas: readonly ServerAddress[]
}

interface Candidate {
  readonly address: ServerAddress
  epoch: number
  /** The sentinels that name it. */
  readonly voices: Set<string>
}

export class MasterView {
  /** By sentinel, the latest; also of those that have fallen silent, whose knowledge of replicas stays good. */
  readonly #answers = new Map<string, MasterAnswer>()
  readonly #silent = new Set<string>()
  /** They know no master of this name. */
  readonly #ignorant = new Set<string>()
  #present: ServerAddress | undefined
  /** The epoch of the present master, as far as it is known: what is not newer does not end it. */
  #epoch = -1
  /** Servers that were the master before. */
  readonly #former = new Set<string>()

  /** How many sentinels answer and know the master. */
  get voices(): number {
    return [...this.#answers.keys()].filter((sentinel) => !this.#silent.has(sentinel)).length
  }

  /** Undefined: the sentinel does not know this master. */
  answered(sentinel: string, answer: MasterAnswer | undefined): void {
    this.#silent.delete(sentinel)
    this.#ignorant.delete(sentinel)
    if (answer !== undefined) {
      this.#answers.set(sentinel, answer)
      if (isSame(answer.address, this.#present)) this.#epoch = Math.max(this.#epoch, answer.epoch)
      return
    }
    this.#answers.delete(sentinel)
    this.#ignorant.add(sentinel)
  }

  /** The sentinel has published +switch-master: it is ahead of what it answered before. */
  switched(sentinel: string, to: ServerAddress): void {
    const known = this.#answers.get(sentinel)
    if (known !== undefined && addressKey(known.address) === addressKey(to)) return
    const replicas = known === undefined ? [] : [...known.replicas, known.address]
    this.answered(sentinel, { address: to, epoch: (known?.epoch ?? 0) + 1, replicas })
  }

  /** The sentinel cannot be asked any more. */
  lost(sentinel: string): void {
    this.#silent.add(sentinel)
  }

  /** From now on this server is the master. */
  settled(address: ServerAddress): void {
    if (this.#present !== undefined && this.#former.size < SENTINEL_REPLICAS_MAX) {
      this.#former.add(addressKey(this.#present))
    }
    this.#present = address
    this.#former.delete(addressKey(address))
    const named = this.#candidates().find((candidate) => isSame(candidate.address, address))
    this.#epoch = named?.epoch ?? this.#epoch
  }

  /**
   * The servers that are the master, if their own ROLE says so, and not the present one; the most
   * credible first. `sentinels`: how many there are, whether they have answered or not.
   */
  heirs(sentinels: number): ServerAddress[] {
    const heirs: ServerAddress[] = []
    let isPresentUpheld = false
    for (const candidate of this.#candidates()) {
      const { address } = candidate
      if (isSame(address, this.#present)) {
        if (this.#isMost(candidate, sentinels)) return heirs
        isPresentUpheld = this.#othersKnow(candidate)
      } else if (isPresentUpheld) {
        // No newer than the present one: most may be behind, or one is wrong about how new it is.
        const isBehind = this.#former.has(addressKey(address))
        if (!isBehind && this.#isMost(candidate, sentinels)) heirs.push(address)
      } else if (this.#isCredible(candidate, sentinels)) {
        heirs.push(address)
      }
    }
    return heirs
  }

  #isCredible(candidate: Candidate, sentinels: number): boolean {
    if (this.#isMost(candidate, sentinels)) return true
    const { address, epoch, voices } = candidate
    const isUpheld = voices.size * 2 > this.voices
    if (this.#present === undefined) {
      const heard = new Set([...this.#answers.keys(), ...this.#silent, ...this.#ignorant])
      return heard.size >= sentinels && (isUpheld || this.#othersKnow(candidate))
    }
    // A dead master that returns calls itself one, and a sentinel that is behind agrees.
    if (epoch <= this.#epoch || this.#former.has(addressKey(address))) return false
    return this.#othersKnow(candidate) || (isUpheld && voices.size > 1)
  }

  /** Whether most of all sentinels name it: those that do not know the master are not asked. */
  #isMost({ voices }: Candidate, sentinels: number): boolean {
    return voices.size * 2 > Math.max(sentinels - this.#ignorant.size, this.voices)
  }

  /** Whether a sentinel other than this one knows the server as a replica, or it is the only sentinel. */
  isReplica(address: ServerAddress, toldBy: string): boolean {
    if (this.#answers.size === 0) return true
    if (this.#answers.size === 1 && this.#answers.has(toldBy)) return true
    return this.#othersKnow({ address, epoch: 0, voices: new Set([toldBy]) })
  }

  /** All that any sentinel which answers names as a replica that can serve, but for the master itself. */
  replicas(): ServerAddress[] {
    const found = new Map<string, ServerAddress>()
    for (const [sentinel, { replicas }] of this.#answers) {
      if (this.#silent.has(sentinel)) continue
      for (const each of replicas)
        if (!isSame(each, this.#present)) found.set(addressKey(each), each)
    }
    return [...found.values()]
  }

  /** Sentinels name different servers. */
  get differs(): boolean {
    return this.#candidates().length > 1
  }

  /** The newest first; of equally new ones that with the most voices. */
  #candidates(): Candidate[] {
    const byKey = new Map<string, Candidate>()
    for (const [sentinel, { address, epoch }] of this.#answers) {
      if (this.#silent.has(sentinel)) continue
      const key = addressKey(address)
      const candidate = byKey.get(key) ?? { address, epoch, voices: new Set() }
      candidate.epoch = Math.max(candidate.epoch, epoch)
      candidate.voices.add(sentinel)
      byKey.set(key, candidate)
    }
    return [...byKey.values()].sort((one, other) => {
      return other.epoch - one.epoch || other.voices.size - one.voices.size
    })
  }

  #othersKnow({ address, voices }: Candidate): boolean {
    for (const [sentinel, { replicas }] of this.#answers) {
      if (voices.has(sentinel)) continue
      if (replicas.some((replica) => isSame(replica, address))) return true
    }
    return false
  }
}

function isSame(one: ServerAddress, other: ServerAddress | undefined): boolean {
  return other !== undefined && addressKey(one) === addressKey(other)
}
