/** /slowlog, /hotkeys and /bigreplies. Keys stand there as `showKeys` says. */
import type { LookoutPart } from '../../stats/lookout/lookout-part.ts'

/** Milliseconds to seconds, without the tail that dividing leaves. */
function seconds(ms: number): number {
  return Math.round(ms * 1000) / 1_000_000
}

/** An option that is off has no number. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

/** What may be shown, and from when on something is noted. */
export interface LookoutRules {
  /** Infinity: no request is slow. */
  readonly slowMs: number
  /** Infinity: no reply is big. */
  readonly bigBytes: number
  readonly countsKeys: boolean
  shown(hash: number, key: string | undefined): string | null
}

export function slowLogPage(lookout: LookoutRules, { slow }: LookoutPart) {
  const slowMs = finite(lookout.slowMs)
  return {
    // null: no request is slow.
    thresholdSeconds: slowMs === null ? null : seconds(slowMs),
    // Newest first.
    entries: slow.map((entry) => ({
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

export function hotKeysPage(lookout: LookoutRules, { hot, sampledKeys }: LookoutPart) {
  return {
    enabled: lookout.countsKeys,
    sampledRequests: Math.round(sampledKeys),
    // Hottest first.
    keys: hot,
  }
}

export function bigRepliesPage(lookout: LookoutRules, { big }: LookoutPart) {
  return {
    // null: no reply is big.
    thresholdBytes: finite(lookout.bigBytes),
    // Largest first.
    entries: big.map((entry) => ({
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
