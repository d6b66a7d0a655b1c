/**
 * Makes a command's definition from what is known about it. It derives what the data path needs, and
 * infers the handling from Redis's flags, key specifications and policies where overrides.ts does not
 * decide it. The inference refuses rather than guesses, since it decides about unknown commands of a
 * newer Redis or of a module.
 */
import type { CommandFacts } from './learning/facts.ts'
import type {
  CommandDefinition,
  Handling,
  KeySpec,
  KeywordSearch,
  RequestPolicy,
  ResponsePolicy,
} from './row.ts'

/** What overrides.ts says about a command. A policy of `none` removes Redis's policy. */
export interface Override {
  readonly writtenName?: string
  readonly keySpecs?: readonly KeySpec[]
  readonly patterns?: readonly KeySpec[]
  readonly requestPolicy?: RequestPolicy | 'none'
  readonly responsePolicy?: ResponsePolicy | 'none'
  readonly handling?: Handling
  readonly leaseOption?: KeywordSearch
  readonly because?: string
  readonly note?: string
}

interface Inferred {
  readonly handling: Handling
  readonly because?: string
}

export function defineCommand(facts: CommandFacts, override: Override = {}): CommandDefinition {
  const keySpecs = override.keySpecs ?? facts.keySpecs
  const requestPolicy = override.requestPolicy ?? facts.requestPolicy
  const responsePolicy = override.responsePolicy ?? facts.responsePolicy
  const known: CommandFacts = {
    ...facts,
    keySpecs,
    keysUnknown: override.keySpecs === undefined && facts.keysUnknown,
    requestPolicy: requestPolicy === 'none' ? undefined : requestPolicy,
    responsePolicy: responsePolicy === 'none' ? undefined : responsePolicy,
  }
  const inferred = inferRoute(known)
  const handling = override.handling ?? inferred.handling
  return {
    name: facts.name,
    writtenName: override.writtenName ?? facts.writtenName ?? facts.name,
    arity: facts.arity,
    flags: facts.flags,
    readonly: facts.flags.has('readonly') && !facts.flags.has('write'),
    keySpecs,
    fixedKey: fixedKey(keySpecs, facts.arity),
    stride: handling === 'split' ? stride(facts.name, keySpecs) : 0,
    patterns: override.patterns ?? [],
    requestPolicy: known.requestPolicy,
    // Administration answers OK, or a report of one server: the first reply, once all have succeeded.
    responsePolicy: known.responsePolicy ?? (handling === 'admin' ? 'all_succeeded' : undefined),
    handling,
    leaseOption: override.leaseOption,
    because: override.because ?? (handling === inferred.handling ? inferred.because : undefined),
    note: override.note,
    subcommands: facts.subcommands,
  }
}

/** The handling of a command about which nothing is known but what Redis tells. */
function inferRoute(facts: CommandFacts): Inferred {
  const { flags, requestPolicy } = facts
  // A container's own row is met only when a request names no subcommand, and then its arity refuses
  // first. COMMAND is the one container that does something alone.
  if (facts.subcommands !== undefined && Math.abs(facts.arity) > 1) {
    return { handling: 'refuse', because: 'it needs a subcommand' }
  }
  if (flags.has('admin')) {
    return { handling: 'admin', because: 'it manages a server rather than data' }
  }
  if (flags.has('pubsub')) {
    return { handling: 'refuse', because: 'it is a pub/sub command of an unknown kind' }
  }
  if (facts.keysUnknown) {
    return { handling: 'refuse', because: 'which of its arguments are keys cannot be told' }
  }
  if (flags.has('blocking')) {
    return { handling: 'lease', because: 'it needs a shard connection of its own' }
  }
  // Never split, whatever a policy says: Redis 7.0 tags MSETNX `multi_shard`, and a split MSETNX is
  // not atomic any more. Keys on two shards get -CROSSSLOT.
  if (facts.keySpecs.length > 0) return { handling: 'single' }
  if (requestPolicy !== undefined) return inferManyShards(facts)
  // No key, no policy: Redis's tips then allow any shard. That holds for TIME or LOLWUT, not for
  // what writes, what a script may not call (it touches the connection or the server, as CLIENT
  // and ACL do), or a module's search over data that lies on all shards.
  if (['write', 'noscript', 'no_auth', 'module'].some((flag) => flags.has(flag))) {
    return {
      handling: 'refuse',
      because: 'it has no key and no policy says which shards it is for',
    }
  }
  return { handling: 'single' }
}

function inferManyShards({ requestPolicy, responsePolicy }: CommandFacts): Inferred {
  if (requestPolicy === 'special' || requestPolicy === 'multi_shard') {
    return { handling: 'refuse', because: 'how to spread it over shards is not known' }
  }
  if (responsePolicy === 'special') {
    return {
      handling: 'refuse',
      because: 'how to merge the replies of several shards is not known',
    }
  }
  return { handling: 'broadcast' }
}

function fixedKey(keySpecs: readonly KeySpec[], arity: number): number {
  const [spec, ...others] = keySpecs
  if (spec === undefined || others.length > 0) return 0
  const { begin, find } = spec
  const isOne = find.type === 'range' && find.last === 0
  if (!isOne || begin.type !== 'index' || begin.unless) return 0
  // The data path does not check that the argument is there, so the arity must guarantee it.
  return begin.pos < Math.abs(arity) ? begin.pos : 0
}

function stride(name: string, keySpecs: readonly KeySpec[]): number {
  const [spec, ...others] = keySpecs
  const isPlain =
    spec?.begin.type === 'index' &&
    spec.begin.pos === 1 &&
    spec.find.type === 'range' &&
    spec.find.last === -1 &&
    others.length === 0
  if (!isPlain) throw new Error(`${name} cannot be split: its arguments are not all keys`)
  return spec.find.step
}
