/** HAProxy in TCP mode: what a proxy costs that does not look at what it passes on, and has one server behind it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, runChild, startChild } from '../spec/support/child.ts'
import { freePort } from '../spec/support/ports.ts'
import type { RedisServer } from '../spec/support/redis-server.ts'
import type { Target } from './targets.ts'

/** undefined, and a line about it, where HAProxy is not installed. */
export async function startHaproxyBefore(
  redis: RedisServer,
): Promise<{ readonly target: Target; readonly child: Child } | undefined> {
  const found = await runChild('haproxy', ['-v']).catch(() => undefined)
  if (found?.code !== 0) {
    process.stdout.write('haproxy is not installed: its rows are left out\n')
    return undefined
  }
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'ambassador-haproxy-'))
  const file = join(directory, 'haproxy.cfg')
  writeFileSync(file, configuration(port, redis.port))
  // -db: it stays the process that was started.
  const child = await startChild({
    command: 'haproxy',
    args: ['-db', '-f', file],
    ready: { listens: [{ port }] },
  })
  rmSync(directory, { recursive: true })
  return { target: { name: 'haproxy', at: { port }, pid: child.pid }, child }
}

/** One thread, as the others have. */
function configuration(port: number, redisPort: number): string {
  return `global
  nbthread 1
  maxconn 1000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen bench
  bind 127.0.0.1:${port}
  server redis 127.0.0.1:${redisPort}
`
}
