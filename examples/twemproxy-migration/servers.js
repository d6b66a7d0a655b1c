// The servers of the rehearsal, on free ports, with everything in a temporary directory that goes away.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../../dist/bin.js', import.meta.url))
const YML = fileURLToPath(new URL('nutcracker.yml', import.meta.url))

const directory = mkdtempSync(join(tmpdir(), 'rehearsal-'))
const running = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

/** Resolves once the port takes connections; rejects if the program ends first. */
async function start(command, args, port) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env: plainEnv() })
  running.add(child)
  const ended = new Promise((resolve) => {
    const end = (why) => {
      running.delete(child)
      resolve(why)
    }
    child.once('error', end)
    child.once('exit', end)
  })
  while (running.has(child) && !(await takesConnections(port))) await delay(5)
  if (!running.has(child)) throw new Error(`${command} did not start: ${await ended}`)
  return {
    port,
    /** Asks it to end, and waits until it has. */
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Whatever configures another ambassador on this machine must not configure this one. */
function plainEnv() {
  const kept = Object.entries(process.env).filter(([name]) => !/^AMBASSADOR_|^REDIS_URL/.test(name))
  return Object.fromEntries(kept)
}

function takesConnections(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** Below the range from which outgoing connections take theirs, so that it stays free. */
export async function freePort() {
  const port = 20_000 + Math.floor(Math.random() * 12_000)
  const server = createServer()
  const free = await new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
  return free ? port : await freePort()
}

export async function startRedis() {
  const port = await freePort()
  const nothingKept = ['--save', '', '--appendonly', 'no', '--dir', directory]
  return await start(
    'redis-server',
    ['--port', `${port}`, '--bind', '127.0.0.1', ...nothingKept],
    port,
  )
}

/** nutcracker.yml with these ports in place of the ones it has; its path. */
export function writeConfiguration(port, shards) {
  const ports = new Map([[22121, port], ...shards.map((shard, at) => [7001 + at, shard.port])])
  const text = readFileSync(YML, 'utf8').replace(/(?<=127\.0\.0\.1:)\d+/g, (old) => {
    return ports.get(Number(old)) ?? old
  })
  const path = join(directory, 'nutcracker.yml')
  writeFileSync(path, text)
  return path
}

export async function startNutcracker(config, port) {
  const statistics = ['-a', '127.0.0.1', '-s', `${await freePort()}`]
  const files = ['-o', join(directory, 'nutcracker.log'), '-p', join(directory, 'nutcracker.pid')]
  return await start('nutcracker', ['-c', config, ...statistics, ...files], port)
}

/** The same file, unchanged; it listens where the file says, or where it is told. */
export async function startAmbassador(config, port) {
  if (!existsSync(BIN)) throw new Error('there is no dist/bin.js: npm ci && npm run build')
  const listen = ['--listen', `127.0.0.1:${port}`, '--admin-listen', 'off']
  return await start(
    process.execPath,
    [BIN, '--config', config, ...listen, '--log-level', 'error'],
    port,
  )
}
