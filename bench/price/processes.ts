/** What one process takes: memory at rest, and the way from its start to its first answer. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const RETRY_MS = 1
/** Says what CPU time it took, microseconds. */
const SHORT =
  'const { user, system } = process.cpuUsage(); process.stdout.write(String(user + system))'

export interface Price {
  /** VmRSS after settling, MB. */
  readonly residentMb: number
  /** From its start to the first PONG, or to its end, milliseconds by the clock. */
  readonly readyMs: number
  /** CPU time, user and system, that had been used by then, milliseconds. A busy machine changes it least. */
  readonly readyCpuMs: number
}

export interface Priced {
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Where it answers PING. */
  readonly port: number
}

/** Starts it, waits for its answer, lets it settle, and ends it. */
export async function priceOf(
  { command, args, env, port }: Priced,
  settleMs: number,
): Promise<Price> {
  const startedMs = performance.now()
  const child = spawn(command, args, { env, stdio: 'ignore' })
  try {
    while (!(await answers(port))) await pause(RETRY_MS)
    const readyMs = performance.now() - startedMs
    const readyCpuMs = cpuMs(child)
    await pause(settleMs)
    return { residentMb: residentMbOf(child.pid), readyMs, readyCpuMs }
  } finally {
    // It may say good-bye.
    child.kill('SIGTERM')
    await once(child, 'close')
  }
}

/** Node alone: a program that ends at once, for the time, and one that waits, for the memory. */
export async function priceOfBare(node: string, settleMs: number): Promise<Price> {
  const startedMs = performance.now()
  const short = spawn(node, ['-e', SHORT])
  let cpuMicros = ''
  short.stdout.on('data', (chunk) => {
    cpuMicros += chunk
  })
  await once(short, 'close')
  const readyMs = performance.now() - startedMs
  const child = spawn(node, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' })
  try {
    await pause(settleMs)
    return { residentMb: residentMbOf(child.pid), readyMs, readyCpuMs: Number(cpuMicros) / 1000 }
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.once('error', () => resolve(false))
    socket.once('data', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** VmRSS of a running process. */
export function residentMbOf(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

/** Fields 14 and 15 of /proc/PID/stat, in hundredths of a second on Linux. */
function cpuMs({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  return (Number(user) + Number(system)) * 10
}
