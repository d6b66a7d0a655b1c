/** The options and callbacks of a connection to a shard. */
import type { ShardFailures } from '../../failures.ts'
import type { Turn } from '../../io/turn.ts'
import type { InHand } from '../../stats/in-hand.ts'
import type { Lookout } from '../../stats/lookout/lookout.ts'
import type { ShardStats } from '../../stats/shard-stats.ts'
import type { Server } from '../server.ts'
import type { Dial } from './making/dial.ts'
import type { Handshake } from './making/handshake.ts'
import type { ReplyHandler } from './reply-cutter.ts'

export interface ConnectionSigns {
  /** A reply begins that is an error, or an array on a connection that only one client uses. */
  readonly replied: (bytes: Buffer, start: number, end: number) => void
  /** A reply is late or will not come, and nothing has been heard since this moment of the turn's clock. */
  readonly silent: (sinceMs: number) => void
}

export interface LoginRefusal {
  /** As the shard words it, safe for a log. */
  readonly reason: string
  /** It turned a new connection away; else it refused another login on one that stays as it was. */
  readonly atConnect: boolean
}

/** The parameters of an attempt to connect. */
export interface Attempt {
  /** Undefined: what to log in with is not known. The shard is connected to, and `authenticate` follows. */
  readonly handshake: Handshake | undefined
  readonly timeoutMs: number
  /** AUTH with what the handshake logs in with, for later; undefined: no login, or not again. */
  readonly login?: Buffer | undefined
}

export interface ConnectionOptions {
  readonly server: Server
  /** Asked each time: a reload may change it. */
  readonly attempt: () => Attempt
  readonly errors: ShardFailures
  /** From the moment a request is handed over until its reply; Infinity: wait for ever. */
  readonly requestTimeoutMs: number
  readonly turn: Turn
  readonly stats: ShardStats
  readonly inHand: InHand
  /** Connect again after a loss; a leased connection does not, and is closed for ever instead. */
  readonly reconnect: boolean
  /** The connection broke or could not be made, or a request timed out. */
  readonly onFailure?: (() => void) | undefined
  /** What its replies tell about the shard. */
  readonly signs?: ConnectionSigns | undefined
  /** The shard has taken a login on an open connection (undefined), or has refused one. */
  readonly onLogin?: ((refusal: LoginRefusal | undefined) => void) | undefined
  /** Called when the connection becomes usable or stops being so. */
  readonly onStateChange: () => void
  /** Where slow requests and big replies are told of; undefined: nowhere. */
  readonly lookout?: Lookout | undefined
  /** The shard's name, as it stands there. */
  readonly shard?: string
  /** Sees (part of) each frame first; returns true if it answers no request and is taken care of. */
  readonly onUnasked?: ReplyHandler
  /** RESP3 pushes count as frames of RESP2, as for a subscriber that speaks RESP3. */
  readonly takesPushes?: boolean
  /** Connects; in the simulation to a shard that is an object. */
  readonly dial?: Dial
}
