/**
 * Puts the measured process on a core of its own. Where it shares cores with its clients and shards, the
 * scheduler decides how many requests one turn of it finds, and with that what a request costs: two starts
 * of one build then differ by a fifth, on cores of their own by a fiftieth.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** The last one: a machine's interrupts mostly come to the first. */
const MEASURED_CORE = availableParallelism() - 1

/**
 * Moves this process, and all that it starts from now on, off the core for what is measured. Returns the
 * words to put before a command that is measured; none where the machine has one core or no `taskset`.
 */
export function leaveCoreToMeasured(): readonly string[] {
  if (MEASURED_CORE < 1) return []
  const others = `0-${MEASURED_CORE - 1}`
  const { status } = spawnSync('taskset', ['-apc', others, String(process.pid)])
  return status === 0 ? ['taskset', '-c', String(MEASURED_CORE)] : []
}
