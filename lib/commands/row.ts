/**
 * What one command is, as data. The vocabulary is Redis's own: key specifications
 * (https://redis.io/docs/latest/develop/reference/key-specs/) and request and response policies
 * (https://redis.io/docs/latest/develop/reference/command-tips/).
 */

/** Where a key specification starts looking for keys. Argument 0 is the command's name. */
export type BeginSearch =
  | { readonly type: 'index'; readonly pos: number }
  /** From argument `startFrom` (negative: backwards, counted from the end) look for `keyword`. */
  | { readonly type: 'keyword'; readonly keyword: string; readonly startFrom: number }

/** How the keys lie from there. */
export type FindKeys =
  /**
   * Keys are every `step`-th argument from the start to `last`, which counts from the start;
   * negative counts from the end (-1 is the last argument). `limit`: with last -1, 2 means only
   * the first half of the rest holds keys (XREAD), 0 and 1 mean all of it.
   */
  | { readonly type: 'range'; readonly last: number; readonly step: number; readonly limit: number }
  /** The argument `keyNumIndex` after the start says how many keys follow from `firstKey` on. */
  | {
      readonly type: 'keynum'
      readonly keyNumIndex: number
      readonly firstKey: number
      readonly step: number
    }

export interface KeySpec {
  readonly begin: BeginSearch
  readonly find: FindKeys
}

export type RequestPolicy = 'all_nodes' | 'all_shards' | 'multi_shard' | 'special'

export type ResponsePolicy =
  | 'one_succeeded'
  | 'all_succeeded'
  | 'agg_logical_and'
  | 'agg_logical_or'
  | 'agg_min'
  | 'agg_max'
  | 'agg_sum'
  | 'special'

/**
 * What the dispatcher does with a command.
 * - `single`: its keys live on one shard and the frame goes there as it came; without keys, any shard.
 * - `split`: keys may live on several shards; one fragment for each, replies merged by `responsePolicy`.
 * - `broadcast`: every shard gets the frame; replies merged by `responsePolicy`.
 * - `local`: answered here.
 * - `lease`: needs a shard connection of its own (transactions, blocking commands).
 * - `subscription`: pub/sub, on the shared subscriber connections.
 * - `admin`: manages a server rather than data; refused unless allowed, then broadcast.
 * - `refuse`: never forwarded; `because` says why.
 */
export type Route =
  | 'single'
  | 'split'
  | 'broadcast'
  | 'local'
  | 'lease'
  | 'subscription'
  | 'admin'
  | 'refuse'

export interface CommandRow {
  /** Dense number from 0, for counters. */
  readonly id: number
  /** Lower case; a subcommand carries its container: `config|set`. */
  readonly name: string
  /** As in Redis: exact argument count with the name, or negative for "at least". */
  readonly arity: number
  readonly flags: ReadonlySet<string>
  /** The command changes nothing, so it may be repeated. */
  readonly readonly: boolean
  readonly keySpecs: readonly KeySpec[]
  /** Where the key is when the command has exactly one, always at the same place; else 0. */
  readonly fixedKey: number
  readonly requestPolicy: RequestPolicy | undefined
  readonly responsePolicy: ResponsePolicy | undefined
  readonly route: Route
  /** For `refuse`, `admin` and `lease`: the reason, as it ends the sentence "not supported because ...". */
  readonly because: string | undefined
  /** A note for docs/commands.md where the row alone does not tell. */
  readonly note: string | undefined
  /** For containers such as CONFIG: by lower-case subcommand name. */
  readonly subcommands: ReadonlyMap<string, CommandRow> | undefined
}
