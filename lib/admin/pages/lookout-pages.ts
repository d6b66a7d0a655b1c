/** /slowlog, /hotkeys and /bigreplies. Keys stand there as `showKeys` says. */
import type { Lookout } from '../../stats/lookout/lookout.ts'

/** Milliseconds to seconds, without the tail that dividing leaves. */
function seconds(ms: number): number {
  return Math.round(ms * 1000) / 1_000_000
}

/** An option that is off has no number. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

export function slowLogPage(lookout: Lookout) {
  const slowMs = finite(lookout.slowMs)
  return {
    // null: no request is slow.
    thresholdSeconds: slowMs === null ? null : seconds(slowMs),
    // Newest first.
    entries: lookout.slowLog.newest().map((entry) => ({
      id: entry.id,
      at: new Date(entry.atMs).toISOString(),
      command: entry.command,
      key: lookout.shown(entry.keyHash, entry.key),
      shard: entry.shard,
      totalSeconds: seconds(entry.totalMs),
      shardSeconds: seconds(entry.shardMs),
      ending: entry.ending,
    })),
  }
}

export function hotKeysPage(lookout: Lookout) {
  return {
    enabled: lookout.countsKeys,
    sampledRequests: Math.round(lookout.sampledKeys),
    // Hottest first.
    keys: lookout.hottestKeys(),
  }
}

export function bigRepliesPage(lookout: Lookout) {
  return {
    // null: no reply is big.
    thresholdBytes: finite(lookout.bigBytes),
    // Largest first.
    entries: lookout.bigReplies.largest(Date.now()).map((entry) => ({
      id: entry.id,
      at: new Date(entry.atMs).toISOString(),
      command: entry.command,
      key: lookout.shown(entry.keyHash, entry.key),
      shard: entry.shard,
      bytes: entry.bytes,
      times: entry.times,
    })),
  }
}
