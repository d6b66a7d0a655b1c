/** Whether traffic should be sent here: not while we stop, nor while too many shards are away. */
import type { Snapshot } from './snapshot.ts'

/**
 * Why not; undefined when it is ready. By default one shard is enough: the keys of the others fail,
 * but to take a pod out of service because one of its many shards is away would make all keys fail.
 */
export function unreadyBecause({ draining, shards, config }: Snapshot): string | undefined {
  if (draining) return 'draining'
  const up = shards.filter((shard) => shard.up).length
  const { readyMinShards } = config.watch
  const needed = readyMinShards === 'all' ? shards.length : readyMinShards
  if (up >= needed) return undefined
  if (up === 0) return 'no shard is up'
  return `${up} of ${shards.length} shards up, readyMinShards is ${needed}`
}

export function stateText(up: boolean): string {
  return up ? 'up' : 'down'
}
