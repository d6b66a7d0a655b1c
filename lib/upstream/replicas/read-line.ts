/**
 * The reads of one session on one shard. They are under way at one server at a time, so that none
 * overtakes an earlier one at a server that is further: those for another server wait until these are
 * answered. The session stays with one replica as long as that serves.
 */
import type { Failure } from '../../failures.ts'
import type { Frame } from '../backend.ts'
import type { Lane } from '../lane.ts'
import type { Shard } from '../shard.ts'
import { choose, type ReadPolicy } from './choose.ts'
import { NEVER } from './coverage.ts'
import {
  type MovingRead,
  PendingRead,
  type ReadOwner,
  type ReadTarget,
  type Source,
} from './pending-read.ts'
import type { Handover, ReplicaSet } from './replica-set.ts'

/** How a shard is read from, as one configuration has it. */
export interface ReadSettings {
  readonly master: Shard
  readonly set: ReplicaSet
  readonly policy: ReadPolicy
  readonly zone: string | undefined
  readonly readAfterWriteMs: number
  /** Infinity: a read may take for ever. */
  readonly requestTimeoutMs: number
  /** The turn's clock. */
  readonly now: () => number
}

/** The session, as far as its reads are concerned. */
export interface ReadingSession {
  readonly sessionId: number
  isClosed(): boolean
  onReplicas: number
  mayLeaveMaster(readAfterWriteMs: number): boolean
  floorMs(readAfterWriteMs: number): number
  /** It has seen what some master has by now. */
  sawElsewhere(): void
}

type Need = Pick<MovingRead, 'isUnsettled' | 'floorMs'>

export class ReadLine implements ReadOwner, Handover {
  readonly #session: ReadingSession
  #settings: ReadSettings
  /** The stay of the replica that the session reads from; 0: none. */
  #stay = 0
  /** It has seen what the master had executed by then. */
  #floorMs = NEVER
  /** When a replica answered last. */
  #readMs = NEVER
  /** Where reads are under way, if any are. */
  #source: Source = 'master'
  /** Those under way, the oldest first. */
  #flying: PendingRead[] = []
  /** Those that wait, the oldest first. */
  #waiting: PendingRead[] = []
  #isHeld = false

  constructor(session: ReadingSession, settings: ReadSettings) {
    this.#session = session
    this.#settings = settings
  }

  read(settings: ReadSettings, lane: Lane, frame: Frame, target: ReadTarget): void {
    this.#settings = settings
    const read = new PendingRead(this, lane, frame, target, settings.now())
    const source = this.#choose(read)
    if (source === 'nobody') read.fail(settings.master.refusal())
    else if (this.#mayGoTo(source)) this.#fly(read, source, frame)
    else this.#wait(read)
  }

  /** Handover */
  get isFlying(): boolean {
    return this.#flying.length > 0
  }

  /** Handover */
  hold(): void {
    this.#isHeld = !this.#session.isClosed()
  }

  /** Handover */
  release(): void {
    this.#isHeld = false
    this.#goOn()
  }

  /** ReadOwner */
  refused(read: PendingRead, words: string): boolean {
    return this.#goesElsewhere(read, words, undefined)
  }

  /** ReadOwner: a master that timed out has taken all the time there was. */
  failed(read: PendingRead, failure: Failure): boolean {
    if (read.source === 'master' && failure.kind === 'timedOut') return false
    return this.#goesElsewhere(read, WORDS[failure.kind], failure)
  }

  /** ReadOwner */
  doubted(read: PendingRead): void {
    this.#limit(read)
  }

  /** ReadOwner */
  overruled(read: PendingRead): void {
    const at = this.#flying.indexOf(read)
    const behind = this.#flying.slice(at)
    this.#flying = this.#flying.slice(0, at)
    for (const each of behind) {
      each.tried ??= each.source
      this.#limit(each)
      this.#fly(each, 'master', each.frame)
    }
  }

  /** ReadOwner */
  expired(read: PendingRead): void {
    const { errors } = this.#settings.master
    read.fail(read.source === undefined ? errors.unavailable : errors.timedOut)
  }

  /** ReadOwner */
  over(read: PendingRead, answered: boolean): void {
    const { source } = read
    if (answered && source !== undefined) this.#note(source)
    // Who has answered may be another master, of whose replicas nothing is known here.
    if (source === 'master' && read.moving?.hasMoved()) this.#session.sawElsewhere()
    this.#remove(read)
    this.#count(read, false)
    this.#goOn()
  }

  /** Those that wait are not overtaking anybody any more. */
  #goOn(): void {
    if (this.#isHeld || this.#flying.length > 0 || this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const each of waiting) this.#start(each)
  }

  /** What the session has seen by this answer. */
  #note(source: Source): void {
    const { now, set } = this.#settings
    const nowMs = now()
    if (source === 'master') {
      this.#floorMs = nowMs
      return
    }
    set.reads++
    this.#readMs = nowMs
    if (source.stay !== this.#stay) this.#floorMs = nowMs
  }

  /** Whether a read for this source may be sent: none would be overtaken. */
  #mayGoTo(source: Source): boolean {
    if (this.#isHeld || this.#waiting.length > 0) return false
    return this.#flying.length === 0 || this.#source === source
  }

  #start(read: PendingRead): void {
    const source = this.#choose(read, read.tried)
    if (source === 'nobody') read.fail(this.#settings.master.refusal())
    else if (this.#mayGoTo(source)) this.#fly(read, source, read.frame)
    else this.#wait(read)
  }

  #wait(read: PendingRead): void {
    this.#waiting.push(read)
    this.#count(read, true)
    this.#limit(read)
  }

  #fly(read: PendingRead, source: Source, frame: Frame): void {
    const { master } = this.#settings
    this.#source = source
    this.#flying.push(read)
    read.goesTo(source)
    this.#count(read, source !== 'master')
    const { lane, moving } = read
    const ticket = read.nextTicket()
    if (source === 'master' && moving !== undefined) moving.toMaster(lane, frame, read, ticket)
    else {
      const server = source === 'master' ? master : source.server
      server.send(this.#session.sessionId, lane, frame, read, ticket)
    }
  }

  /** What has waited or was sent before has less time than a connection gives it. */
  #limit(read: PendingRead): void {
    const { now, requestTimeoutMs } = this.#settings
    read.limit(read.startedMs + requestTimeoutMs - now())
  }

  #count(read: PendingRead, isCounted: boolean): void {
    if (read.isCounted === isCounted) return
    read.isCounted = isCounted
    this.#session.onReplicas += isCounted ? 1 : -1
  }

  #remove(read: PendingRead): void {
    // The usual one: replies come in the order of the requests.
    if (this.#flying[0] === read) {
      this.#flying.shift()
      return
    }
    this.#flying = this.#flying.filter((each) => each !== read)
    this.#waiting = this.#waiting.filter((each) => each !== read)
  }

  /**
   * The read, and all that are under way at the server which has failed it, go to another one; false:
   * there is none, or it has been sent twice already. `failure`: undefined when the server has refused it.
   */
  #goesElsewhere(read: PendingRead, why: string, failure: Failure | undefined): boolean {
    const { source } = read
    if (source === undefined) return false
    if (source !== 'master' && failure?.kind !== 'overloaded')
      this.#settings.set.failed(source, why)
    if (read.tried !== undefined || this.#session.isClosed()) return false
    const next = this.#choose(read, source, strictest(this.#flying))
    if (next === 'nobody' || next === source) return false
    const grounded = this.#flying
    this.#flying = []
    for (const each of grounded) {
      if (each.tried !== undefined) {
        each.fail(failure ?? this.#settings.master.errors.lost)
        continue
      }
      each.tried = source
      this.#limit(each)
      this.#fly(each, next, each.frame)
    }
    return true
  }

  /** `need`: what their slots ask of a server. */
  #choose(
    read: PendingRead,
    tried?: Source,
    need: Need | undefined = read.moving,
  ): Source | 'nobody' {
    const { lane } = read
    const { master, set, policy, zone, readAfterWriteMs } = this.#settings
    const { sessionId } = this.#session
    const { up } = master
    const mayLeave = this.#session.mayLeaveMaster(readAfterWriteMs)
    // Requests that wait for the slot's owner unsettle it as well.
    const isWanted = up || policy !== 'prefer-master'
    if (!mayLeave || (need?.isUnsettled && isWanted)) return 'master'
    this.#forgetLost(set)
    const sessionMs = Math.max(this.#floorMs, this.#session.floorMs(readAfterWriteMs))
    const floorMs = Math.max(sessionMs, need?.floorMs ?? NEVER)
    const facts = { up, zone: set.masterZone, roundTripMs: set.masterRoundTripMs }
    const past = { stay: this.#stay, floorMs, spread: sessionId }
    const choice = choose(policy, zone, set.list, facts, past, tried)
    if (choice === 'behind') {
      set.wants(this)
      return 'master'
    }
    if (choice === 'master' || choice === 'nobody') return choice
    if (!choice.isConnected(lane, sessionId)) {
      set.failed(choice, WORDS.lost)
      return this.#choose(read, tried, need)
    }
    this.#stay = choice.stay
    return choice
  }

  /** The replica that the session has read from serves no more: the next one must be as far. */
  #forgetLost({ list }: ReplicaSet): void {
    if (this.#stay === 0) return
    if (list.some(({ stay, serves }) => stay === this.#stay && serves)) return
    this.#stay = 0
    this.#floorMs = Math.max(this.#floorMs, this.#readMs)
  }
}

/** What a server needs that all of them go to. */
function strictest(reads: readonly PendingRead[]): Need {
  return {
    isUnsettled: reads.some(({ moving }) => moving?.isUnsettled === true),
    floorMs: Math.max(NEVER, ...reads.map(({ moving }) => moving?.floorMs ?? NEVER)),
  }
}

const WORDS = {
  unavailable: 'it cannot be reached',
  lost: 'its connection was lost',
  timedOut: 'it did not answer in time',
  overloaded: 'too much waits for it',
  refused: 'it refuses',
} as const satisfies Record<Failure['kind'], string>
