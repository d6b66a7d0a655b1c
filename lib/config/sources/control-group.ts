/**
 * What this process may have, by its control group (cgroups(7)). A container that takes more memory is killed
 * without notice; one that takes more CPU time waits.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'

/** Version 1 writes "no limit" as the largest page-aligned 63-bit number; nothing real is near it. */
const UNLIMITED_BYTES_MIN = 2 ** 60

/** Reads the limit that a group sets, from its directory; NaN or Infinity: none. */
type ReadLimit = (directory: string) => number

/** A controller, and how its limit is read in version 1 and in version 2. */
interface Controller {
  readonly name: string
  readonly v1: ReadLimit
  readonly v2: ReadLimit
}

const MEMORY: Controller = {
  name: 'memory',
  v1: (directory) => bytesIn(join(directory, 'memory.limit_in_bytes')),
  v2: (directory) => bytesIn(join(directory, 'memory.max')),
}

const CPU: Controller = {
  name: 'cpu',
  v1: (directory) => {
    const periodMicros = numberIn(join(directory, 'cpu.cfs_period_us'))
    const quotaMicros = numberIn(join(directory, 'cpu.cfs_quota_us'))
    // -1: no limit.
    return quotaMicros > 0 ? quotaMicros / periodMicros : Number.NaN
  },
  v2: (directory) => {
    const [quota, period] = readIfThere(join(directory, 'cpu.max')).split(' ')
    return Number.parseInt(quota ?? '', 10) / Number.parseInt(period ?? '', 10)
  },
}

/**
 * The lowest limit of the process' own control group and those around it, bytes; Infinity without a limit,
 * and on systems without control groups. `root` is where the file system begins.
 */
export function memoryLimitBytes(root = '/'): number {
  return lowestLimit(MEMORY, root)
}

/**
 * How many processes can run at a time: cores that may be used, or whole cores of the CPU time that control
 * groups allow, if these are fewer; at least 1. (Node's own count looks at control groups from libuv 1.49 on.)
 */
export function usableCores(root = '/', cores = availableParallelism()): number {
  return Math.max(1, Math.floor(Math.min(cores, lowestLimit(CPU, root))))
}

function lowestLimit(controller: Controller, root: string): number {
  const ownGroups = readIfThere(join(root, 'proc/self/cgroup')).split('\n')
  const limits = ownGroups.flatMap((line) => limitsOf(controller, line, root))
  return Math.min(...limits, Number.POSITIVE_INFINITY)
}

/** A line is `number:controllers:path`; version 2 has the number 0 and names no controllers. */
function limitsOf({ name, v1, v2 }: Controller, line: string, root: string): number[] {
  const [, number, controllers = '', path = ''] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? []
  const groups = join(root, 'sys/fs/cgroup')
  if (controllers.split(',').includes(name)) return limitsUpwards(join(groups, name), path, v1)
  return number === '0' ? limitsUpwards(groups, path, v2) : []
}

/** A container may see only its own group, as the uppermost, under a path that it cannot resolve. */
function limitsUpwards(mount: string, path: string, read: ReadLimit): number[] {
  const limits: number[] = []
  for (let group = path; ; group = dirname(group)) {
    const limit = read(join(mount, join('/', group)))
    if (Number.isFinite(limit)) limits.push(limit)
    if (group === '/') return limits
  }
}

function bytesIn(path: string): number {
  const bytes = numberIn(path)
  return bytes < UNLIMITED_BYTES_MIN ? bytes : Number.NaN
}

function numberIn(path: string): number {
  return Number.parseInt(readIfThere(path), 10)
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
