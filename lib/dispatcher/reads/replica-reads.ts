/**
 * Reads from replicas: which requests may go to one, and what all other requests mean for the session's
 * later reads. It takes the place of the sender only with `readFrom`, so other configurations pay
 * nothing.
 */
import { needsLease } from '../../commands/keys.ts'
import type { CommandRow, Handling } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { MappedTopology } from '../../topology/mapped-topology.ts'
import type { Certainty, ReadingNow } from '../../upstream/replicas/reader.ts'
import { SessionReads } from '../../upstream/replicas/session-reads.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Client } from '../core/client.ts'
import type { Dispatching, SpecialCommand } from '../core/dispatcher.ts'
import { Sender, type SenderOptions, type Target } from '../core/sender.ts'
import { certaintyOf } from './certainty.ts'

export interface ReplicaReadsOptions {
  /** To the masters. */
  readonly sender: Sender
  /** Sends to replicas or masters, as `readFrom` says. */
  readonly readers: Sender<Target>
  /** Commands that only read and are not just dispatched, made over `readers`. */
  readonly specialReads: Readonly<Record<string, SpecialCommand>>
  readonly now: ReadingNow
  /** Slots that are read may move: only reads of which one sees whether their keys were there go to replicas. */
  readonly moves: boolean
  /** The turn's clock. */
  readonly nowMs: () => number
}

/** With keys, at the shard that has them; everything else concerns all shards or none. */
const KEYED: ReadonlySet<Handling> = new Set(['single', 'split', 'lease'])

/** They change nothing that is read by key. */
const HARMLESS = new Set(['publish', 'spublish', 'wait', 'waitaof'])

/** From here on requests go past us, to a connection of the session's own. */
const TRANSACTIONS = new Set(['multi', 'watch'])

export class ReplicaReads implements Dispatching {
  readonly #options: ReplicaReadsOptions
  readonly #sinceMs = Date.now()
  /** By command, of those that have been read so far. */
  readonly #certainties = new Map<CommandRow, Certainty | undefined>()

  constructor(options: ReplicaReadsOptions) {
    this.#options = options
  }

  /** Dispatching: rows without a command of their own. */
  dispatch(client: Client, request: ScannedRequest, row: CommandRow): void {
    const { sender, readers } = this.#options
    const reads = this.#readsOf(client)
    if (this.#begins(client, reads, request, row)) {
      readers.dispatch(client, request, row)
    } else if (admits(client, reads, request, row)) {
      sender.dispatch(client, request, row)
    }
  }

  /** What stands before a command that is registered; undefined: nothing. */
  before(row: CommandRow, command: SpecialCommand): SpecialCommand | undefined {
    if (row.handling === 'local' || row.handling === 'subscription') return undefined
    const read = this.#options.specialReads[row.name]
    return (client, request) => {
      const reads = this.#readsOf(client)
      const mayRead = read !== undefined && !blocks(row, request)
      if (mayRead && this.#begins(client, reads, request, row)) {
        read(client, request, row)
      } else if (admits(client, reads, request, row)) {
        command(client, request, row)
      }
    }
  }

  /** Whether the request may go to replicas. Then all is said of it that those want to know. */
  #begins(client: Client, reads: SessionReads, request: ScannedRequest, row: CommandRow): boolean {
    const { now, moves } = this.#options
    if (!isRead(row, client)) return false
    now.session = reads
    if (!moves) return true
    now.certainty = this.#certaintyOf(row)
    now.keyCount = request.argc - 1
    return now.certainty !== undefined
  }

  #certaintyOf(row: CommandRow): Certainty | undefined {
    if (!this.#certainties.has(row)) this.#certainties.set(row, certaintyOf(row))
    return this.#certainties.get(row)
  }

  #readsOf(client: Client): SessionReads {
    const known = client.reads
    if (known?.keeper === this) return known
    const reads = known ?? openReads(client, this.#options.nowMs)
    client.reads = reads
    reads.keeper = this
    // The client is older than this object, so its writes may not have been counted.
    if (known !== undefined || client.connectedAtMs <= this.#sinceMs) reads.hasPast()
    return reads
  }
}

/** In a transaction all goes where that is, and so does what comes between WATCH and MULTI. */
function isRead(row: CommandRow, { mode }: Client): boolean {
  return row.readonly && mode === undefined && KEYED.has(row.handling)
}

function blocks(row: CommandRow, request: ScannedRequest): boolean {
  return row.handling === 'lease' && needsLease(row, request)
}

/**
 * Notes what the request means for reads to come. False: it waits, since a write that overtakes a read at
 * a replica could be seen by it.
 */
function admits(
  { session }: Client,
  reads: SessionReads,
  request: ScannedRequest,
  row: CommandRow,
): boolean {
  if (reads.onReplicas > 0) {
    session.defer(request)
    return false
  }
  if (TRANSACTIONS.has(row.name)) reads.entersTransaction()
  else if (mayWrite(row)) reads.writes()
  else if (row.readonly) reads.sees()
  return true
}

/** A script, and what a module or a newer server does not call a read, may write. */
function mayWrite({ name, flags, readonly, handling }: CommandRow): boolean {
  return flags.has('write') || (!readonly && KEYED.has(handling) && !HARMLESS.has(name))
}

function openReads({ session }: Client, nowMs: () => number): SessionReads {
  const reads = new SessionReads({
    sessionId: session.id,
    replied: session.replyWatch,
    inFlight: () => session.inFlight,
    isClosed: () => session.closed,
    now: nowMs,
  })
  session.replyWatch = reads
  return reads
}

/** A sender of requests that only read, to what stands before each shard. */
export function readersOver(
  { topology, shards, ...others }: SenderOptions<Shard>,
  targetOf: (shard: Shard) => Target,
): Sender<Target> {
  return new Sender({
    ...others,
    topology: new MappedTopology(topology, targetOf),
    shards: () => shards().map(targetOf),
  })
}
