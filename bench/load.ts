/** One run of redis-benchmark against one target, and what it cost the target. */
import { readFileSync } from 'node:fs'
import { runChild } from '../spec/support/child.ts'
import { CLIENTS, keysPerRequest, type Load } from './cells.ts'
import { keyCount } from './keys.ts'
import type { Target } from './targets.ts'

export interface Measurement {
  readonly requestsPerSecond: number
  /** Of a whole pipeline of requests, as redis-benchmark counts. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** User and system time of the target's process, divided by the number of requests. */
  readonly cpuMicrosPerRequest: number
}

/** USER_HZ: the unit of /proc/PID/stat, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** `keys`: how many of those that are there are asked for. */
export async function runLoad(
  target: Target,
  cell: Load,
  requests: number,
  keys = keyCount(cell.valueBytes),
  clients = CLIENTS,
): Promise<Measurement> {
  const { at } = target
  const microsBefore = cpuMicros(target.pid)
  const { code, stdout, stderr } = await runChild('redis-benchmark', [
    ...('path' in at ? ['-s', at.path] : ['-p', String(at.port)]),
    ...['-c', String(clients), '-n', String(requests)],
    ...['-P', String(cell.depth), '-r', String(keys)],
    ...['-d', String(cell.valueBytes), '--precision', '3', '--csv', ...commandOf(cell)],
  ])
  const micros = cpuMicros(target.pid) - microsBefore
  const last = stdout.trim().split('\n').at(-1) ?? ''
  // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms"
  const fields = [...last.matchAll(/"([^"]*)"/g)].map((match) => Number(match[1]))
  const [, requestsPerSecond = Number.NaN, , , p50Ms = Number.NaN, , p99Ms = Number.NaN] = fields
  if (code !== 0 || !(requestsPerSecond > 0) || /Error from server/.test(stdout + stderr)) {
    throw new Error(`redis-benchmark against ${target.name} (${code}):\n${stdout}${stderr}`)
  }
  return { requestsPerSecond, p50Ms, p99Ms, cpuMicrosPerRequest: micros / requests }
}

function commandOf({ command }: Load): string[] {
  if (!command.startsWith('mget')) return ['-t', command]
  return ['MGET', ...Array(keysPerRequest(command)).fill('key:__rand_int__')]
}

/**
 * CPU time of all threads, user and system: fields 14 and 15, counted behind the name, which may hold
 * spaces.
 */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1e6
}
