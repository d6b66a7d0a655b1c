/** Decisions about a worker that takes the place of one that has died. */
import { WORKER_IDS, WORKER_RESTART_MS, WORKER_RESTART_MS_MAX } from '../../limits.ts'

/** As many ranges of ids as are exact as numbers. */
const RANGES = Number.MAX_SAFE_INTEGER / WORKER_IDS

/**
 * The ids of the worker that is started as the one with this number, from 0 on, are above the result. No other
 * worker has or had them, so that no id is given twice. (After 32,768 workers they begin anew.)
 */
export function idsAboveOf(started: number): number {
  return (started % Math.floor(RANGES)) * WORKER_IDS
}

/** How long to wait before the successor is started. `inRow`: deaths before this one that came soon. */
export function restartDelayMs(inRow: number): number {
  return Math.min(WORKER_RESTART_MS * 2 ** inRow, WORKER_RESTART_MS_MAX)
}
