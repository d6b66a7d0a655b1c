/**
 * Which shard is the home of a topic. Every topic is subscribed on all shards, since scripts and
 * transactions publish wherever their keys live; its home is the one that PUBLISH goes to.
 */
import type { TopicKind } from '../../resp/pubsub.ts'
import { placeOf } from '../../routing/places.ts'
import type { Topology } from '../../topology/topology.ts'
import type { Shard } from '../../upstream/shard.ts'

/** Undefined: the topic's messages come from all shards alike. */
export type HomeOf = (kind: TopicKind, name: Buffer) => Shard | undefined

/** Each shard notifies of its own keys (notify-keyspace-events). */
const KEYSPACE_CHANNEL = /^__key(space|event)@/

const KEYSPACE_PREFIX_BYTES = '__keyspace@'.length

/** `namesHaveShards`: the same name always has the same shard; false when each request draws one. */
export function homesOn(topology: Topology<Shard>, namesHaveShards: boolean): HomeOf {
  return (kind, name) => {
    if (kind === 'pattern' || !namesHaveShards) return undefined
    const start = name.toString('latin1', 0, KEYSPACE_PREFIX_BYTES)
    if (kind === 'channel' && KEYSPACE_CHANNEL.test(start)) return undefined
    return topology.shardAt(placeOf(topology, name, 0, name.length))
  }
}
