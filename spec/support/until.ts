/** Waits for what no event tells: something in another process, or deep in this one. */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'

/** Below mocha's time-out, ms, so that the failure says what it was that did not come. */
const UNTIL_MS_MAX = 30_000

/**
 * Looks once a turn of the event loop, or every `pauseMs` where looking itself is in the way. Rejects
 * when it is still not so after UNTIL_MS_MAX.
 */
export async function until(isSo: () => boolean | Promise<boolean>, pauseMs = 0): Promise<void> {
  const endMs = performance.now() + UNTIL_MS_MAX
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`not so in ${UNTIL_MS_MAX} ms: ${isSo}`)
    await (pauseMs === 0 ? nextTurn() : pause(pauseMs))
  }
}
