/**
 * All sentinels that watch our masters: those that are configured and those that they name. Each is
 * asked and listened to, for each has a view of its own, and any one may be deaf, away or behind. One
 * set serves all masters.
 */
import { SENTINELS_MAX } from '../../limits.ts'
import type { Logger } from '../../logger.ts'
import type { RedisAddress } from '../ioredis.ts'
import type { MasterReport, ToldAddress } from './reports.ts'
import { Sentinel } from './sentinel.ts'

/** What the follower of one master is told. `sentinel` is the address of the sentinel that said it. */
export interface MasterObserver {
  answered(sentinel: string, report: MasterReport | undefined): void
  /** +switch-master: for this sentinel another server is the master now. */
  switched(sentinel: string, to: ToldAddress): void
  /** +selected-slave: the leader of a failover has chosen the heir. */
  selected(sentinel: string, heir: ToldAddress): void
  /** -failover-abort-*: the failover will not be. */
  aborted(sentinel: string): void
  /** The sentinel cannot be asked any more. */
  lost(sentinel: string): void
}

export interface SentinelsOptions {
  /** At least one, as configured. */
  readonly addresses: readonly ToldAddress[]
  readonly username: string | undefined
  readonly password: string | undefined
  /** How a sentinel at this place is connected to. */
  readonly dialled: (address: ToldAddress) => RedisAddress
  readonly logger: Logger
  /** Called when no master is followed any more and all connections are closed. */
  readonly onUnused?: () => void
}

export interface SentinelState {
  readonly address: string
  readonly reachable: boolean
}

export class Sentinels {
  readonly #options: SentinelsOptions
  readonly #sentinels = new Map<string, Sentinel>()
  readonly #observers = new Map<string, MasterObserver>()
  readonly #urgent = new Set<string>()
  /** No sentinel answers, and that has been logged. */
  #silent = false
  #closed = false

  constructor(options: SentinelsOptions) {
    this.#options = options
  }

  get states(): SentinelState[] {
    return [...this.#sentinels].map(([address, { reachable }]) => ({ address, reachable }))
  }

  /** Follows a master. Returns what ends that; with the last follower all connections are closed. */
  follow(master: string, observer: MasterObserver): () => void {
    this.#observers.set(master, observer)
    for (const address of this.#options.addresses) this.#add(address)
    this.ask()
    return () => {
      if (this.#observers.get(master) === observer) this.#observers.delete(master)
      this.#urgent.delete(master)
      if (this.#observers.size > 0) return
      this.close()
      this.#options.onUnused?.()
    }
  }

  /** Asks all now. */
  ask(): void {
    for (const sentinel of this.#sentinels.values()) sentinel.ask()
  }

  /** While any master is urgent, all sentinels are asked every second. */
  hurry(master: string, isUrgent: boolean): void {
    if (isUrgent) this.#urgent.add(master)
    else this.#urgent.delete(master)
    for (const sentinel of this.#sentinels.values()) sentinel.hurry(this.#urgent.size > 0)
  }

  close(): void {
    this.#closed = true
    for (const sentinel of this.#sentinels.values()) sentinel.close()
    this.#sentinels.clear()
  }

  #add(address: ToldAddress): void {
    const name = `${address.host}:${address.port}`
    if (this.#closed || this.#sentinels.has(name) || this.#sentinels.size >= SENTINELS_MAX) return
    const { username, password, dialled } = this.#options
    const events = {
      answered: (master: string, report: MasterReport | undefined) => {
        // Other sentinels first: the number of sentinels decides what the word of one counts.
        for (const other of report?.sentinels ?? []) if (isUsable(other)) this.#add(other)
        this.#observers.get(master)?.answered(name, report)
      },
      published: (event: string, words: readonly string[]) => this.#published(name, event, words),
      reachable: (isReachable: boolean, why: string | undefined) => {
        if (!isReachable) for (const each of this.#observers.values()) each.lost(name)
        this.#tell(why)
      },
    }
    const masters = () => this.#observers.keys()
    const sentinel = new Sentinel({
      address: dialled(address),
      username,
      password,
      masters,
      events,
    })
    this.#sentinels.set(name, sentinel)
  }

  #published(sentinel: string, event: string, words: readonly string[]): void {
    if (event === '+switch-master') {
      const [master = '', , , host = '', port = ''] = words
      this.#observers.get(master)?.switched(sentinel, { host, port })
    } else if (event === '+selected-slave') {
      const heir = instanceOf(words)
      if (heir !== undefined) this.#observers.get(heir.master)?.selected(sentinel, heir)
    } else if (event.startsWith('-failover-abort-')) {
      this.#observers.get(words[1] ?? '')?.aborted(sentinel)
    } else {
      // A sentinel has come, a master was reset, a replica promoted: the answers have changed.
      this.#sentinels.get(sentinel)?.ask()
    }
  }

  /** Logs once when the last sentinel is gone, and once when one is back. */
  #tell(reason: string | undefined): void {
    const isSilent = this.states.every(({ reachable }) => !reachable)
    if (isSilent === this.#silent) return
    this.#silent = isSilent
    const { logger } = this.#options
    const sentinels = this.#sentinels.size
    if (isSilent)
      logger.warn({ sentinels, reason }, 'no sentinel answers, masters stay where they are')
    else logger.info({ sentinels }, 'sentinels answer')
  }
}

/** `slave 10.0.0.2:6379 10.0.0.2 6379 @ mymaster 10.0.0.1 6379` */
function instanceOf(words: readonly string[]): (ToldAddress & { master: string }) | undefined {
  const [, , host, port, at, master] = words
  if (host === undefined || port === undefined || at !== '@' || master === undefined) {
    return undefined
  }
  return { host, port, master }
}

function isUsable({ host, port }: ToldAddress): boolean {
  return host !== '' && port !== '' && port !== '0'
}
