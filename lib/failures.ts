/**
 * The registry of the errors that the ambassador itself gives a client in place of a shard's reply:
 * their kinds, their words, and whether anything may have been executed. No other file spells these
 * lines, and none parses them.
 */
import { errorFrame, errorText } from './errors.ts'
import {
  ANSWERED_ARGUMENTS_MAX,
  CROSS_SHARD_READ_BYTES_MAX,
  TRANSACTION_PARTS_MAX,
} from './limits.ts'

/** `refused`: by a rule of ours. The other kinds are about a shard, or about our bounds. */
export type FailureKind = 'unavailable' | 'lost' | 'timedOut' | 'overloaded' | 'refused'

/**
 * What a client may conclude. `not sent`: no byte has reached a shard. `not executed`: nothing has
 * changed. `may have executed`: nobody here knows.
 */
export type FailureLabel = 'not sent' | 'not executed' | 'may have executed'

export class Failure {
  readonly kind: FailureKind
  readonly label: FailureLabel
  /** The RESP error: one line. */
  readonly frame: Buffer
  readonly #text: string

  /** `text`: all of the line but the label, without control characters. `line`: all of it, in Redis's words. */
  constructor(kind: FailureKind, text: string, label: FailureLabel, line = `${text} (${label})`) {
    this.kind = kind
    this.label = label
    this.#text = text
    this.frame = errorFrame(line)
  }

  get maybeExecuted(): boolean {
    return this.label === 'may have executed'
  }

  /** This failure for a write of which other parts were done: it may have executed. */
  get partly(): Failure {
    return this.maybeExecuted ? this : new Failure(this.kind, this.#text, 'may have executed')
  }
}

/** Why a request got no reply from its shard. */
export interface ShardFailures {
  readonly unavailable: Failure
  /** As `unavailable`, after the shard or a former server of it refused the request. */
  readonly declined: Failure
  readonly lost: Failure
  readonly timedOut: Failure
  readonly overloaded: Failure
}

export const OVERLOADED = new Failure('overloaded', 'ERR ambassador: overloaded', 'not sent')

/** No node of the cluster is known to own the slot. */
export const NOT_SERVED = new Failure('unavailable', 'ERR ambassador: slot not served', 'not sent')

/** Made once for each shard. */
export function shardFailures(name: string): ShardFailures {
  const shard = `ERR ambassador: shard ${errorText(name)}`
  return {
    unavailable: new Failure('unavailable', `${shard} unavailable`, 'not sent'),
    declined: new Failure('unavailable', `${shard} unavailable`, 'not executed'),
    lost: new Failure('lost', `${shard} connection lost`, 'may have executed'),
    timedOut: new Failure('timedOut', `${shard} timed out`, 'may have executed'),
    overloaded: OVERLOADED,
  }
}

/**
 * For blocked clients whose shard has moved to another server. A Redis that becomes a replica says
 * this to its blocked clients.
 */
const UNBLOCKED_WORDS =
  'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)'
export const UNBLOCKED = new Failure('refused', UNBLOCKED_WORDS, 'not executed', UNBLOCKED_WORDS)

export const UNEXPECTED_REPLIES = new Failure(
  'refused',
  'ERR ambassador: shards gave unexpected replies',
  'may have executed',
)

/** Of the other workers one lives and is silent. */
export const NO_ANSWER = new Failure(
  'timedOut',
  'ERR ambassador: another worker did not answer',
  'may have executed',
)

/** Of a transaction over several shards. */
export const PARTLY_EXECUTED = new Failure(
  'refused',
  'ERR ambassador: a shard has discarded its part of the transaction, and others have executed theirs',
  'may have executed',
)

export const TOO_MANY_PLACES = new Failure(
  'refused',
  `ERR ambassador: transaction over more than ${TRANSACTION_PARTS_MAX} shards or slots`,
  'not sent',
)

export const TOO_MANY_ARGUMENTS = new Failure(
  'refused',
  `ERR ambassador: too many arguments for one answer, over ${ANSWERED_ARGUMENTS_MAX}`,
  'not sent',
)

export const REQUEST_TOO_LARGE = new Failure(
  'refused',
  'ERR ambassador: request larger than maxClientMemoryMb allows',
  'not sent',
)

export const READ_TOO_LARGE = new Failure(
  'refused',
  'ERR ambassador: keys on several shards are too large to be combined ' +
    `(over ${CROSS_SHARD_READ_BYTES_MAX / 1024 / 1024} MB)`,
  'not executed',
)

export const READS_OVERLOADED = new Failure(
  'overloaded',
  'ERR ambassador: overloaded by commands over keys on several shards',
  'not executed',
)

/** Of a transaction whose replies are put together here. */
export const EXEC_OVERLOADED = new Failure(
  'overloaded',
  'ERR ambassador: overloaded by the replies of transactions',
  'may have executed',
)

export const NO_CURSOR_LEFT = new Failure(
  'refused',
  "ERR ambassador: the shard's SCAN cursor leaves no room for its number",
  'not executed',
)

/** `because` ends the sentence. */
export function notSupported(command: string, because: string | undefined): Failure {
  const text = `ERR ambassador: command '${command}' is not supported because ${because}`
  return new Failure('refused', text, 'not sent')
}

export function adminRefused(command: string, because: string | undefined): Failure {
  const text =
    `ERR ambassador: command '${command}' is not supported because ${because}; ` +
    'AMBASSADOR_ALLOW_ADMIN=yes sends it to all shards'
  return new Failure('refused', text, 'not sent')
}

export function refusedInTransaction(command: string): Failure {
  return notSupported(command, 'a transaction is open')
}

/** Redis's own words, by which clients recognise it, and then what helps. Nothing is sent. */
export const CROSSSLOT = errorFrame(
  "CROSSSLOT Keys in request don't hash to the same slot. What helps: a hash tag, " +
    'or a route or a database that leads to one server',
)

/** CROSSSLOT for a transaction, which an option would allow. */
export const TRANSACTION_CROSSSLOT = errorFrame(
  "CROSSSLOT Keys in transaction don't hash to the same slot. What helps: a hash tag, a route, " +
    'or AMBASSADOR_TRANSACTIONS=split',
)

/** The same where a shard does not announce changes of keys. `reason`: its own words. */
export function watchRefused(shard: string, reason: string): Failure {
  const line =
    `CROSSSLOT Keys in request don't hash to the same slot, and shard ${errorText(shard)} ` +
    `does not announce changes of keys (${errorText(reason)})`
  return new Failure('refused', line, 'not executed', line)
}
