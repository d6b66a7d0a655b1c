/**
 * What the sentinels say of one master, and whom to believe. Pure.
 *
 * Each sentinel has a view of its own, and a view may be old for ever (redis#12271): the highest
 * configuration epoch is the newest. One voice alone, however new, may be wrong; it is believed when it
 * names a server that other voices know as a replica of this master, as the heir of a failover is.
 */
import { addressKey, type ServerAddress } from '../../control/server-address.ts'

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
  /** By sentinel. */
  readonly #answers = new Map<string, MasterAnswer>()

  /** How many sentinels have answered. */
  get voices(): number {
    return this.#answers.size
  }

  /** Undefined: the sentinel does not know this master. */
  answered(sentinel: string, answer: MasterAnswer | undefined): void {
    if (answer === undefined) this.#answers.delete(sentinel)
    else this.#answers.set(sentinel, answer)
  }

  /** The sentinel has published +switch-master: it is ahead of what it answered before. */
  switched(sentinel: string, to: ServerAddress): void {
    const known = this.#answers.get(sentinel)
    if (known !== undefined && addressKey(known.address) === addressKey(to)) return
    const replicas = known === undefined ? [] : [...known.replicas, known.address]
    this.#answers.set(sentinel, { address: to, epoch: (known?.epoch ?? 0) + 1, replicas })
  }

  /** Nothing is known of the sentinel any more. */
  forget(sentinel: string): void {
    this.#answers.delete(sentinel)
  }

  /**
   * The server to take for the master, unless its own ROLE says otherwise; undefined while nobody
   * credible says anything. `deposed`: a server that was the master before the present one; only most
   * sentinels together bring it back, for a dead master that returns calls itself one for ten seconds.
   */
  believed(deposed?: ServerAddress): ServerAddress | undefined {
    const candidates = this.#candidates()
    const most = Math.floor(this.voices / 2) + 1
    const former = deposed === undefined ? undefined : addressKey(deposed)
    return candidates.find((candidate) => {
      if (candidate.voices.size >= most) return true
      return addressKey(candidate.address) !== former && this.#othersKnow(candidate)
    })?.address
  }

  /** Whether a sentinel other than this one knows the server as a replica, or it is the only sentinel. */
  isReplica(address: ServerAddress, toldBy: string): boolean {
    const { voices } = this
    if (voices === 0 || (voices === 1 && this.#answers.has(toldBy))) return true
    return this.#othersKnow({ address, epoch: 0, voices: new Set([toldBy]) })
  }

  /** All replicas that any sentinel names, each once. */
  replicas(): ServerAddress[] {
    const all = [...this.#answers.values()].flatMap(({ replicas }) => replicas)
    return [...new Map(all.map((each) => [addressKey(each), each])).values()]
  }

  /** Sentinels name different servers. */
  get differs(): boolean {
    return this.#candidates().length > 1
  }

  /** The newest first; of equally new ones that with the most voices. */
  #candidates(): Candidate[] {
    const byKey = new Map<string, Candidate>()
    for (const [sentinel, { address, epoch }] of this.#answers) {
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
    const key = addressKey(address)
    for (const [sentinel, { replicas }] of this.#answers) {
      if (voices.has(sentinel)) continue
      if (replicas.some((replica) => addressKey(replica) === key)) return true
    }
    return false
  }
}
