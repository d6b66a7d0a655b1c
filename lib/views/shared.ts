/** What outlives a reload, as the views of each configuration are given it. */
import type { CommandTable } from '../commands/lookup.ts'
import type { Client, Decider } from '../dispatcher/core/client.ts'
import type { ScriptCache } from '../dispatcher/scripts/script-cache.ts'
import type { ExecReplies } from '../dispatcher/transactions/exec/exec-replies.ts'
import type { Turn } from '../io/turn.ts'
import type { Logger } from '../logger.ts'
import type { Mirrors } from '../pool/mirror/mirrors.ts'
import type { NearCaching } from '../pool/near-caching.ts'
import type { Pools } from '../pool/pools.ts'
import type { Rehearsals } from '../pool/to-come/rehearsals.ts'
import type { Lookout } from '../stats/lookout/lookout.ts'
import type { Stats } from '../stats/stats.ts'
import type { Lanes } from '../upstream/lane.ts'
import type { Entrance } from './entrance.ts'
import type { Seat } from './seat.ts'

export interface Shared {
  readonly pools: Pools
  readonly mirrors: Mirrors
  readonly nearCaching: NearCaching
  readonly rehearsals: Rehearsals
  readonly turn: Turn
  readonly lanes: Lanes
  readonly table: CommandTable
  /** Of all entrances. */
  readonly clients: Map<number, Client>
  /** The first one leads to all pools. */
  readonly entrances: readonly [Entrance, ...Entrance[]]
  readonly scripts: ScriptCache
  readonly execReplies: ExecReplies
  /** Who decides about this client's requests, by the configuration in use. */
  readonly deciderFor: (client: Client) => Decider
  readonly startedAtMs: number
  /** Undefined: the ambassador is alone. */
  readonly seat: Seat | undefined
  readonly lookout: Lookout
  readonly stats: Stats
  readonly logger: Logger
}
