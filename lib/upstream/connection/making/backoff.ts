/**
 * How long to wait before the next attempt to connect. Doubling with jitter, so that many sidecars
 * that lost one shard do not come back in step.
 */
import { RECONNECT_MS_MAX, RECONNECT_MS_MIN, REJECTED_MS_MAX } from '../../../limits.ts'

/**
 * Milliseconds to wait after the `failures`-th failure in a row (1 is the first); `random` is in
 * [0, 1). A shard that was unreachable is asked often, since its return must be noticed at once;
 * one that is there and turned us away (wrong password, too many clients) is left alone longer.
 */
export function reconnectDelayMs(failures: number, rejected: boolean, random: number): number {
  const max = rejected ? REJECTED_MS_MAX : RECONNECT_MS_MAX
  const delay = Math.min(max, RECONNECT_MS_MIN * 2 ** Math.min(failures - 1, 16))
  return delay * (0.5 + random / 2)
}
