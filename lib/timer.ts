/**
 * Delays for Node's timers, whose own bound is 2^31 - 1 ms: a timer that is set for longer fires after
 * 1 ms, with a warning each time. Every delay in this product that is not a constant goes through here;
 * the tidy spec sees to it.
 */
import { TIMER_MS_MAX } from './limits.ts'

/** The delay, cut to what a timer can hold. A longer wait looks at the clock when it fires, and goes on. */
export function timerMs(delayMs: number): number {
  return Math.min(Math.max(1, Math.ceil(delayMs)), TIMER_MS_MAX)
}
