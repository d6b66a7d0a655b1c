/**
 * Where topics are subscribed, and which shard is the home of each. On plain shards every topic is subscribed
 * on all of them, since scripts and transactions publish wherever their keys live; its home is the one that
 * PUBLISH goes to. The nodes of a cluster pass on to each other what is published on one of them, so that a
 * topic is on one node there; but each node notifies of its own keys alone, and a shard channel belongs to
 * the owner of its slot.
 */
import type { MovingPlaces } from '../../pool/router/moving-places.ts'
import type { TopicKind } from '../../resp/pubsub.ts'
import { placeOf } from '../../routing/places.ts'
import type { Topology } from '../../topology/topology.ts'
import type { Shard } from '../../upstream/shard.ts'

/** Undefined: the topic's messages come from all shards alike. */
export type HomeOf = (kind: TopicKind, name: Buffer) => Shard | undefined

export interface TopicPlaces {
  readonly homeOf: HomeOf
  /** Whether the topic is subscribed there. */
  isOn(kind: TopicKind, name: Buffer, server: Shard): boolean
  /** Whether a message of this channel that comes from there is passed on. */
  passes(kind: TopicKind, channel: string, server: Shard): boolean
  /**
   * The error for a client whose topic was refused there with `error`; undefined: `error` itself.
   */
  declinedAs(name: Buffer, error: Buffer, server: Shard): Buffer | undefined
  /** The shard where a message of this channel reaches all subscribers; undefined: its home. */
  publishedAt(channel: Buffer): Shard | undefined
}

/** A pool, as far as topics are concerned. */
export interface TopicPool {
  readonly topology: Topology<Shard>
  /** Undefined: it is no cluster. */
  readonly moving: MovingPlaces | undefined
  readonly shards: () => readonly Shard[]
  /** A name always has the same shard. False when each request draws one. */
  readonly isDecidedByKeys: boolean
}

/** Each shard notifies of its own keys (notify-keyspace-events). */
const OF_KEYS = ['__keyspace@', '__keyevent@']

/** What ends the part of a pattern that stands for itself. */
const SPECIAL = /[*?[\\]/

/** Every topic is subscribed on every shard. */
export function everywhere(homeOf: HomeOf): TopicPlaces {
  const isTrue = (): boolean => true
  const none = (): undefined => undefined
  return { homeOf, isOn: isTrue, passes: isTrue, declinedAs: none, publishedAt: none }
}

export function homesOn(topology: Topology<Shard>, namesHaveShards: boolean): HomeOf {
  return (kind, name) => {
    if (kind === 'pattern' || !namesHaveShards) return undefined
    if (kind === 'channel' && isOfKeys(name.toString('latin1'))) return undefined
    return topology.shardAt(placeOf(topology, name, 0, name.length))
  }
}

/** `main`: where channels and patterns are subscribed. */
export function topicsInCluster(
  topology: Topology<Shard>,
  moving: Pick<MovingPlaces, 'refusalIn' | 'follow'>,
  main: Shard,
): TopicPlaces {
  const placeIn = (name: Buffer): number => placeOf(topology, name, 0, name.length)
  const ownerOf = (name: Buffer): Shard => topology.shardAt(placeIn(name))
  return {
    homeOf: (kind, name) => {
      if (kind === 'shardChannel') return ownerOf(name)
      return mayBeOfKeys(kind, name) ? undefined : main
    },
    isOn: (kind, name, server) => {
      if (kind === 'shardChannel') return server === ownerOf(name)
      return server === main || mayBeOfKeys(kind, name)
    },
    passes: (kind, channel, server) => {
      return server === main || kind === 'shardChannel' || isOfKeys(channel)
    },
    declinedAs: (name, error, server) => {
      const place = placeIn(name)
      const line = moving.refusalIn(error, 0, error.length, place)
      if (line === undefined) return undefined
      // The next one goes where the slot is.
      moving.follow(line, place, server, undefined)
      return server.errors.declined.frame
    },
    publishedAt: () => main,
  }
}

/** Over several pools: a topic without a home comes from all of them. `before`: servers until now. */
export function topicsOver<Pool extends TopicPool>(
  pools: readonly Pool[],
  poolOf: (name: Buffer) => Pool,
  before: TopicPlaces,
): TopicPlaces {
  // In a function of its own, so that the result does not keep the previous servers alive.
  const places = placesOfAll(pools, before)
  const byShard = new Map(
    pools.flatMap((pool) => pool.shards().map((shard) => [shard, pool] as const)),
  )
  const at = (server: Shard): TopicPlaces | undefined => {
    const pool = byShard.get(server)
    return pool && places.get(pool)
  }
  return {
    homeOf: (kind, name) => {
      if (kind === 'pattern' && pools.length > 1) return undefined
      return places.get(poolOf(name))?.homeOf(kind, name)
    },
    isOn: (kind, name, server) => {
      const pool = byShard.get(server)
      const isOther = pool?.moving !== undefined && pool !== poolOf(name)
      // A shard channel's slot is in one pool only.
      if (kind === 'shardChannel' && isOther) return false
      return at(server)?.isOn(kind, name, server) === true
    },
    passes: (kind, channel, server) => at(server)?.passes(kind, channel, server) !== false,
    declinedAs: (name, error, server) => at(server)?.declinedAs(name, error, server),
    publishedAt: (channel) => places.get(poolOf(channel))?.publishedAt(channel),
  }
}

const ANY_CHANNEL = Buffer.alloc(0)

function placesOfAll<Pool extends TopicPool>(
  pools: readonly Pool[],
  before: TopicPlaces,
): ReadonlyMap<Pool, TopicPlaces> {
  return new Map(pools.map((pool) => [pool, placesOf(pool, before)] as const))
}

function placesOf(pool: TopicPool, before: TopicPlaces): TopicPlaces {
  const { topology, moving, isDecidedByKeys } = pool
  if (moving === undefined) return everywhere(homesOn(topology, isDecidedByKeys))
  const shards = pool.shards()
  const known = shards.find((shard) => before.isOn('channel', ANY_CHANNEL, shard))
  return topicsInCluster(topology, moving, known ?? (shards[0] as Shard))
}

function isOfKeys(channel: string): boolean {
  return OF_KEYS.some((prefix) => channel.startsWith(prefix))
}

/** Whether notifications of keys may come through the channel, or match the pattern. */
function mayBeOfKeys(kind: TopicKind, name: Buffer): boolean {
  const text = name.toString('latin1')
  const special = kind === 'channel' ? -1 : text.search(SPECIAL)
  if (special < 0) return isOfKeys(text)
  const literal = text.slice(0, special)
  return OF_KEYS.some((prefix) => prefix.startsWith(literal) || literal.startsWith(prefix))
}
