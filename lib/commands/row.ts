/**
 * What one command is, as data. The vocabulary is Redis's own: key specifications
 * (https://redis.io/docs/latest/develop/reference/key-specs/) and request and response policies
 * (https://redis.io/docs/latest/develop/reference/command-tips/).
 */

/** At argument `pos`. Argument 0 is the command's name. */
export interface IndexSearch {
  readonly type: 'index'
  readonly pos: number
  /** Nothing there is a key when this word says that the keys come elsewhere: MIGRATE ... KEYS. */
  readonly unless?: KeywordSearch
}

/** Behind the word `keyword`, looked for from argument `startFrom` on (negative: backwards, from the end). */
export interface KeywordSearch {
  readonly type: 'keyword'
  /** Upper case; any case matches. */
  readonly keyword: string
  readonly startFrom: number
  /**
   * Options that may stand before the keyword and the number of arguments each takes along. These
   * are passed over: `GROUP streams alice` names a group, it does not begin the list of streams.
   * Redis's own specifications lack this; its command parsers have it.
   */
  readonly options?: readonly OptionWord[]
}

export interface OptionWord {
  /** Upper case; any case matches. */
  readonly word: string
  /** Arguments that belong to it. */
  readonly takes: number
}

/** Where a key specification starts looking for keys. */
export type BeginSearch = IndexSearch | KeywordSearch

/**
 * Keys are every `step`-th argument from the start to `last`, which counts from the start;
 * negative counts from the end (-1 is the last argument). `limit`: with last -1, 2 means only
 * the first half of the rest holds keys (XREAD), 0 and 1 mean all of it.
 */
export interface RangeOfKeys {
  readonly type: 'range'
  readonly last: number
  readonly step: number
  readonly limit: number
}

/**
 * The argument `keyNumIndex` after the start says how many keys follow, the first of them
 * `firstKey` after the start.
 */
export interface CountedKeys {
  readonly type: 'keynum'
  readonly keyNumIndex: number
  readonly firstKey: number
  readonly step: number
}

/** How the keys lie from the start. */
export type FindKeys = RangeOfKeys | CountedKeys

export interface KeySpec {
  readonly begin: BeginSearch
  readonly find: FindKeys
}

export const REQUEST_POLICIES = ['all_nodes', 'all_shards', 'multi_shard', 'special'] as const
export type RequestPolicy = (typeof REQUEST_POLICIES)[number]

export const RESPONSE_POLICIES = [
  'one_succeeded',
  'all_succeeded',
  'agg_logical_and',
  'agg_logical_or',
  'agg_min',
  'agg_max',
  'agg_sum',
  'special',
] as const
export type ResponsePolicy = (typeof RESPONSE_POLICIES)[number]

/**
 * What the dispatcher does with a command.
 * - `single`: its keys live on one shard, and the frame goes there as it came. Without keys it goes
 *   to the one shard for such requests, or to any shard if it cannot touch keys.
 * - `split`: keys may live on several shards; one fragment for each, replies merged by `responsePolicy`.
 * - `broadcast`: every shard gets the frame; replies merged by `responsePolicy`.
 * - `local`: answered here.
 * - `lease`: needs a shard connection of its own (transactions, blocking commands).
 * - `subscription`: pub/sub, on the shared subscriber connections.
 * - `admin`: manages a server rather than data; refused unless allowed, then broadcast.
 * - `refuse`: never forwarded; `because` says why.
 */
export type Handling =
  | 'single'
  | 'split'
  | 'broadcast'
  | 'local'
  | 'lease'
  | 'subscription'
  | 'admin'
  | 'refuse'

/** A command as the built-in data, or a shard, describes it; a table makes it a row. */
export interface CommandDefinition {
  /** Lower case; a subcommand carries its container: `config|set`. */
  readonly name: string
  /** As errors show it. */
  readonly writtenName: string
  /** As in Redis: exact argument count with the name, or negative for "at least". */
  readonly arity: number
  readonly flags: ReadonlySet<string>
  /** The command changes nothing, so it may be repeated. */
  readonly readonly: boolean
  /** Where the keys are. For pub/sub commands the channels, which are routed like keys. */
  readonly keySpecs: readonly KeySpec[]
  /** Where the key is when the command has exactly one, always at the same place; else 0. */
  readonly fixedKey: number
  /** For `split`: arguments from one key to the next, so MGET 1 and MSET 2; else 0. Keys start at 1. */
  readonly stride: number
  /** Arguments from which Redis makes the names of more keys: SORT's BY and GET patterns. */
  readonly patterns: readonly KeySpec[]
  readonly requestPolicy: RequestPolicy | undefined
  /** Undefined where replies are merged: arrays are joined. */
  readonly responsePolicy: ResponsePolicy | undefined
  readonly handling: Handling
  /** For `lease`: only a request with this option needs one (XREAD BLOCK), any other is `single`. */
  readonly leaseOption: KeywordSearch | undefined
  /**
   * For `refuse`, `admin`, `lease` and `subscription`: the reason, as it ends the sentence
   * "not supported because ...".
   */
  readonly because: string | undefined
  /** A note for docs/commands.md where the row alone does not tell. */
  readonly note: string | undefined
  /** For containers such as CONFIG. */
  readonly subcommands: readonly CommandDefinition[] | undefined
}

export interface CommandRow extends Omit<CommandDefinition, 'subcommands'> {
  /** Dense number from 0, for counters. */
  readonly id: number
  /** For containers such as CONFIG: by lower-case subcommand name, without the container's. */
  readonly subcommands: ReadonlyMap<string, CommandRow> | undefined
}
