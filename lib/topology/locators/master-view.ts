/**
 * What the sentinels say about one master, and which of them to believe. Pure.
 *
 * Each sentinel has a view of its own, and a view may stay old (redis#12271): the highest configuration
 * epoch is the newest. A single sentinel may be wrong even with the highest epoch. It is believed when
 * it names a server that other sentinels know as a replica of this master, as after a failover. A
 * majority is counted over all sentinels, unreachable ones included.
 */
import { isIP } from 'node:net'
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
  address: ServerAddress
  epoch: number
  /** The sentinels that name it. */
  readonly voices: Set<string>
}

type IsOne = (one: ServerAddress, other: ServerAddress) => boolean

export class MasterView {
  /** The latest answer of each sentinel, also of silent ones, whose knowledge of replicas stays valid. */
  readonly #answers = new Map<string, MasterAnswer>()
  readonly #silent = new Set<string>()
  /** They know no master of this name. */
  readonly #ignorant = new Set<string>()
  #present: ServerAddress | undefined
  /** The epoch of the present master, as far as it is known. Only a newer claim can replace it. */
  #epoch = -1
  /** Servers that were the master before, by address; the latest last. */
  readonly #former = new Map<string, ServerAddress>()
  readonly #isOne: IsOne

  /** `isOne`: whether two addresses are those of one server; by default equal ones are. */
  constructor(isOne: IsOne = (one, other) => addressKey(one) === addressKey(other)) {
    this.#isOne = isOne
  }

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
      if (this.#isSame(answer.address, this.#present))
        this.#epoch = Math.max(this.#epoch, answer.epoch)
      return
    }
    this.#answers.delete(sentinel)
    this.#ignorant.add(sentinel)
  }

  /** The sentinel has published +switch-master: it is ahead of what it answered before. */
  switched(sentinel: string, to: ServerAddress): void {
    const known = this.#answers.get(sentinel)
    if (this.#isSame(to, known?.address)) return
    const replicas = known === undefined ? [] : [...known.replicas, known.address]
    this.answered(sentinel, { address: to, epoch: (known?.epoch ?? 0) + 1, replicas })
  }

  /** The sentinel cannot be asked any more. */
  lost(sentinel: string): void {
    this.#silent.add(sentinel)
  }

  /** There is no such sentinel any more. */
  forget(sentinel: string): void {
    this.#answers.delete(sentinel)
    this.#silent.delete(sentinel)
    this.#ignorant.delete(sentinel)
  }

  /** From now on this server is the master. */
  settled(address: ServerAddress): void {
    if (this.#present !== undefined) this.#former.set(addressKey(this.#present), this.#present)
    // The oldest gives way: a dead master that returns does so within seconds.
    const [oldest] = this.#former.keys()
    if (this.#former.size > SENTINEL_REPLICAS_MAX && oldest !== undefined) {
      this.#former.delete(oldest)
    }
    this.#present = address
    for (const [key, each] of this.#former) if (this.#isOne(each, address)) this.#former.delete(key)
    const named = this.#candidates().find((candidate) => this.#isSame(candidate.address, address))
    this.#epoch = named?.epoch ?? this.#epoch
  }

  /**
   * Servers other than the present master that are the master if their own ROLE says so; the most
   * credible first. `sentinels`: how many there are, whether they have answered or not.
   */
  heirs(sentinels: number): ServerAddress[] {
    const heirs: ServerAddress[] = []
    let isPresentUpheld = false
    for (const candidate of this.#candidates()) {
      const { address } = candidate
      if (this.#isSame(address, this.#present)) {
        if (this.#isMost(candidate, sentinels)) return heirs
        isPresentUpheld = this.#othersKnow(candidate)
      } else if (isPresentUpheld) {
        // A claim that is not newer than the present master: most sentinels may be behind, or one
        // has a wrong epoch.
        const isBehind = this.#wasMaster(address)
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
    // A dead master that returns calls itself master, and a sentinel that is behind agrees.
    if (epoch <= this.#epoch || this.#wasMaster(address)) return false
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

  /** Every server other than the master that an answering sentinel names as a replica that can serve. */
  replicas(): ServerAddress[] {
    const found: ServerAddress[] = []
    for (const [sentinel, { replicas }] of this.#answers) {
      if (this.#silent.has(sentinel)) continue
      for (const each of replicas) if (!this.#isSame(each, this.#present)) this.#gather(found, each)
    }
    return found
  }

  /** Sentinels name different servers. */
  get differs(): boolean {
    return this.#candidates().length > 1
  }

  /** The newest first; of equally new ones that with the most voices. */
  #candidates(): Candidate[] {
    const candidates: Candidate[] = []
    for (const [sentinel, { address, epoch }] of this.#answers) {
      if (this.#silent.has(sentinel)) continue
      const known = candidates.find((each) => this.#isOne(each.address, address))
      const candidate = known ?? { address, epoch, voices: new Set() }
      if (known === undefined) candidates.push(candidate)
      candidate.address = betterOf(candidate.address, address)
      candidate.epoch = Math.max(candidate.epoch, epoch)
      candidate.voices.add(sentinel)
    }
    return candidates.sort((one, other) => {
      return other.epoch - one.epoch || other.voices.size - one.voices.size
    })
  }

  #othersKnow({ address, voices }: Candidate): boolean {
    for (const [sentinel, { replicas }] of this.#answers) {
      if (voices.has(sentinel)) continue
      if (replicas.some((replica) => this.#isSame(replica, address))) return true
    }
    return false
  }

  #isSame(one: ServerAddress, other: ServerAddress | undefined): boolean {
    return other !== undefined && this.#isOne(one, other)
  }

  #wasMaster(address: ServerAddress): boolean {
    return [...this.#former.values()].some((each) => this.#isOne(each, address))
  }

  /** Each server once. */
  #gather(found: ServerAddress[], address: ServerAddress): void {
    const at = found.findIndex((each) => this.#isOne(each, address))
    const known = found[at]
    if (known === undefined) found.push(address)
    else found[at] = betterOf(known, address)
  }
}

/** Of two addresses of one server the name: certificates have names, and names stay. */
function betterOf(one: ServerAddress, other: ServerAddress): ServerAddress {
  return isIP(one.host) === 0 ? one : other
}
