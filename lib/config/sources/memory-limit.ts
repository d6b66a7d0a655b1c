/**
 * How much memory this process may have, by its control group (cgroups(7)): a container that takes more
 * is killed without notice.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Version 1 writes "no limit" as the largest page-aligned 63-bit number; nothing real is near it. */
const UNLIMITED_BYTES_MIN = 2 ** 60

/**
 * The lowest limit of the process' own control group and those around it, bytes; Infinity without a limit,
 * and on systems without control groups. `root` is where the file system begins.
 */
export function memoryLimitBytes(root = '/'): number {
  const ownGroups = readIfThere(join(root, 'proc/self/cgroup')).split('\n')
  return Math.min(...ownGroups.flatMap((line) => limitsOf(line, root)), Number.POSITIVE_INFINITY)
}

/** A line is `number:controllers:path`; version 2 has the number 0 and names no controllers. */
function limitsOf(line: string, root: string): number[] {
  const [, number, controllers = '', path = ''] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? []
  const groups = join(root, 'sys/fs/cgroup')
  if (controllers.split(',').includes('memory')) {
    return limitsUpwards(join(groups, 'memory'), path, 'memory.limit_in_bytes')
  }
  return number === '0' ? limitsUpwards(groups, path, 'memory.max') : []
}

/** A container may see only its own group, as the uppermost, under a path that it cannot resolve. */
function limitsUpwards(mount: string, path: string, file: string): number[] {
  const limits: number[] = []
  for (let group = path; ; group = dirname(group)) {
    const bytes = Number.parseInt(readIfThere(join(mount, join('/', group), file)), 10)
    if (bytes < UNLIMITED_BYTES_MIN) limits.push(bytes)
    if (group === '/') return limits
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
