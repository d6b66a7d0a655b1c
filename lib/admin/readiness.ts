/** Whether traffic should be sent here: not while we stop, nor while every shard is away. */
import type { Snapshot } from './snapshot.ts'

/**
 * Why not; undefined when it is ready. One shard is enough: the keys of the others fail, but to take
 * a pod out of service because one of its many shards is away would make all keys fail.
 */
export function unreadyBecause({ draining, shards }: Snapshot): string | undefined {
  if (draining) return 'draining'
  return shards.some(({ up }) => up) ? undefined : 'no shard is up'
}
