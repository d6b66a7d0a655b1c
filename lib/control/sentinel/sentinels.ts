/**
 * All sentinels that watch our masters: those that are configured and those that they name. Each is
 * asked and listened to, for each has a view of its own, and any one may be deaf, away or behind. One
 * set serves all masters.
 *
 * A sentinel has one voice, by however many addresses it is known: two addresses whose sentinels say the
 * same MYID are one. One that was named is forgotten when it is away and those that answer name it no more.
 */
import { SENTINELS_MAX } from '../../limits.ts'
import type { Logger } from '../../logger.ts'
import type { RedisAddress } from '../ioredis.ts'
import { KnownSentinels } from './known-sentinels.ts'
import type { MasterReport, ToldAddress, ToldSentinel } from './reports.ts'
import { Sentinel } from './sentinel.ts'

/** What the follower of one master is told. `sentinel` is the voice of the sentinel that said it. */
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
  /** There is no such sentinel: what it said counts no more. */
  gone(sentinel: string): void
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
  /** Its voice: the first of its addresses. */
  readonly address: string
  readonly reachable: boolean
}

export class Sentinels {
  readonly #options: SentinelsOptions
  readonly #known = new KnownSentinels()
  /** By master; several shards may have the same one. */
  readonly #observers = new Map<string, Set<MasterObserver>>()
  readonly #urgent = new Set<MasterObserver>()
  /** No sentinel answers, and that has been logged. */
  #silent = false
  #closed = false

  constructor(options: SentinelsOptions) {
    this.#options = options
  }

  get states(): readonly SentinelState[] {
    return this.#known.states
  }

  /** Follows a master. Returns what ends that; with the last follower all connections are closed. */
  follow(master: string, observer: MasterObserver): () => void {
    const observers = this.#observers.get(master) ?? new Set()
    this.#observers.set(master, observers.add(observer))
    for (const address of this.#options.addresses) this.#add({ ...address, id: undefined }, true)
    this.ask()
    return () => {
      this.hurry(observer, false)
      observers.delete(observer)
      if (observers.size > 0) return
      this.#observers.delete(master)
      this.#known.forgetMaster(master)
      if (this.#observers.size > 0) return
      this.close()
      this.#options.onUnused?.()
    }
  }

  /** Asks all now. */
  ask(): void {
    for (const { sentinel } of this.#known.all) sentinel.ask()
  }

  /** While it is urgent for any follower, all sentinels are asked every second. */
  hurry(observer: MasterObserver, isUrgent: boolean): void {
    if (isUrgent) this.#urgent.add(observer)
    else this.#urgent.delete(observer)
    for (const { sentinel } of this.#known.all) sentinel.hurry(this.#urgent.size > 0)
  }

  close(): void {
    this.#closed = true
    for (const { sentinel } of this.#known.all) sentinel.close()
    this.#known.clear()
  }

  #add({ id, ...address }: ToldSentinel, isConfigured: boolean): void {
    const name = `${address.host}:${address.port}`
    if (this.#closed || this.#known.has(name, id) || this.#known.all.length >= SENTINELS_MAX) return
    const { username, password, dialled } = this.#options
    const events = {
      identified: (as: string | undefined) => {
        this.#drop(this.#known.identify(name, as))
      },
      answered: (master: string, report: MasterReport | undefined) => {
        this.#answered(name, master, report)
      },
      published: (event: string, words: readonly string[]) => this.#published(name, event, words),
      reachable: (isReachable: boolean, why: string | undefined) => {
        this.#reachable(name, isReachable, why)
      },
    }
    const masters = () => this.#observers.keys()
    const options = { address: dialled(address), username, password, masters, events }
    const sentinel = new Sentinel(options)
    sentinel.hurry(this.#urgent.size > 0)
    this.#known.add({ name, id, isConfigured, sentinel, named: new Map() })
  }

  #answered(name: string, master: string, report: MasterReport | undefined): void {
    const others = (report?.sentinels ?? []).filter(isUsable)
    // Other sentinels first: the number of sentinels decides what the word of one counts.
    for (const other of others) this.#add(other, false)
    this.#drop(this.#known.named(name, master, others))
    const voice = this.#known.voiceOf(name)
    for (const each of this.#of(master)) each.answered(voice, report)
  }

  /** What counts no more is not asked any more, and its voice is heard no more. */
  #drop({ left, voices }: ReturnType<KnownSentinels['named']>): void {
    for (const sentinel of left) sentinel.close()
    for (const voice of voices) this.#tellAll((observer) => observer.gone(voice))
  }

  #reachable(name: string, isReachable: boolean, why: string | undefined): void {
    const voice = this.#known.voiceOf(name)
    if (!isReachable && !this.#known.answers(voice)) {
      this.#tellAll((observer) => observer.lost(voice))
    }
    this.#tell(why)
  }

  #of(master: string): readonly MasterObserver[] {
    return [...(this.#observers.get(master) ?? [])]
  }

  #tellAll(tell: (observer: MasterObserver) => void): void {
    for (const master of [...this.#observers.keys()])
      for (const each of this.#of(master)) tell(each)
  }

  #published(name: string, event: string, words: readonly string[]): void {
    const voice = this.#known.voiceOf(name)
    if (event === '+switch-master') {
      const [master = '', , , host = '', port = ''] = words
      for (const each of this.#of(master)) each.switched(voice, { host, port })
    } else if (event === '+selected-slave') {
      const heir = instanceOf(words)
      if (heir === undefined) return
      for (const each of this.#of(heir.master)) each.selected(voice, heir)
    } else if (event.startsWith('-failover-abort-')) {
      for (const each of this.#of(words[1] ?? '')) each.aborted(voice)
    } else {
      // A sentinel has come, a master was reset, a replica promoted: the answers have changed.
      this.#known.get(name)?.sentinel.ask()
    }
  }

  /** Logs once when the last sentinel is gone, and once when one is back. */
  #tell(reason: string | undefined): void {
    const { states } = this
    const isSilent = states.every(({ reachable }) => !reachable)
    if (isSilent === this.#silent) return
    this.#silent = isSilent
    const { logger } = this.#options
    const sentinels = states.length
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
