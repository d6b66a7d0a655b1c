/** What has been noted, as plain data: by one worker, or by several of them together. */
import { BIG_REPLIES_LENGTH, HOT_KEYS_SHOWN, SLOW_LOG_LENGTH } from '../../limits.ts'
import type { BigReply } from './big-replies.ts'
import type { ShownHotKey } from './hot-keys.ts'
import type { SlowRequest } from './slow-log.ts'

export interface LookoutPart {
  /** Newest first. */
  readonly slow: readonly SlowRequest[]
  /** Largest first. */
  readonly big: readonly BigReply[]
  /** Hottest first. */
  readonly hot: readonly ShownHotKey[]
  /** The sum of counted keys; older ones count for less than one. */
  readonly sampledKeys: number
}

/** As if one had noted all, within the bounds of one. */
export function joinParts(own: LookoutPart, others: readonly LookoutPart[]): LookoutPart {
  if (others.length === 0) return own
  const parts = [own, ...others]
  return {
    slow: parts
      .flatMap(({ slow }) => slow)
      .sort((one, other) => other.atMs - one.atMs)
      .slice(0, SLOW_LOG_LENGTH),
    big: joinBig(parts.flatMap(({ big }) => big)),
    hot: joinHot(parts),
    sampledKeys: parts.reduce((sum, { sampledKeys }) => sum + sampledKeys, 0),
  }
}

/** Replies to one command about one key are one entry. */
function joinBig(replies: readonly BigReply[]): BigReply[] {
  const bySubject = new Map<string, BigReply>()
  for (const reply of replies) {
    const subject = JSON.stringify([reply.command, reply.keyHash, reply.key, reply.shard])
    const known = bySubject.get(subject)
    bySubject.set(subject, known === undefined ? reply : bothOf(known, reply))
  }
  return [...bySubject.values()]
    .sort((one, other) => other.bytes - one.bytes)
    .slice(0, BIG_REPLIES_LENGTH)
}

function bothOf(one: BigReply, other: BigReply): BigReply {
  const newest = other.atMs > one.atMs ? other : one
  return {
    ...newest,
    bytes: Math.max(one.bytes, other.bytes),
    times: one.times + other.times,
  }
}

/**
 * Shares are lower bounds, and so is the sum of shares by weight: a key that is hot for one worker and not
 * certainly for another counts with what is certain.
 */
function joinHot(parts: readonly LookoutPart[]): ShownHotKey[] {
  const total = parts.reduce((sum, { sampledKeys }) => sum + sampledKeys, 0)
  const byKey = new Map<string, ShownHotKey>()
  for (const [index, { hot, sampledKeys }] of parts.entries()) {
    for (const [place, { key, shard, share, requestsPerSecond }] of hot.entries()) {
      const weighted = total === 0 ? 0 : (share * sampledKeys) / total
      // Keys that are not shown cannot be told to be the same.
      const name = key === null ? `${index} ${place}` : JSON.stringify([key, shard])
      const known = byKey.get(name)
      byKey.set(name, {
        key,
        shard,
        share: weighted + (known?.share ?? 0),
        requestsPerSecond: requestsPerSecond + (known?.requestsPerSecond ?? 0),
      })
    }
  }
  return [...byKey.values()].sort((one, other) => other.share - one.share).slice(0, HOT_KEYS_SHOWN)
}
