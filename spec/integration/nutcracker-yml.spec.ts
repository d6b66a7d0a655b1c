/**
 * One nutcracker.yml, given to nutcracker and to our loader: every key of every pool must arrive
 * at the server that our configuration of that pool gives it.
 */
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadConfig } from '../../lib/config/sources/load.ts'
import { shardAddressText } from '../../lib/config/values/address.ts'
import { Placement } from '../../lib/routing/placement/placement.ts'
import { decodeRequest, encodeRequest, endOfFrame } from '../support/frames.ts'
import { GrowingBytes } from '../support/growing-bytes.ts'
import { startNutcracker } from '../support/nutcracker.ts'
import { freePort } from '../support/ports.ts'
import { createRandom, specSeed } from '../support/random.ts'
import { connectRaw } from '../support/raw-client.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

const KEYS_PER_POOL = 2000

/** Any of 127.0.0.0/8 is this machine; these have libmemcached's port to themselves. */
const LIBMEMCACHED_HOSTS = ['127.0.67.1', '127.0.67.2', '127.0.67.3']

/** Answers every request with OK and remembers where each SET's value arrived. */
class Recorders {
  /** By the value of the SET: the address it arrived at. */
  readonly arrivals = new Map<string, string>()
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()

  async listen(at: ListenOptions, address: string): Promise<void> {
    const server = createServer((socket) => this.#serve(socket, address))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(at, resolve)
    })
    this.#servers.push(server)
  }

  #serve(socket: Socket, address: string): void {
    this.#sockets.add(socket)
    const held = new GrowingBytes()
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      held.append(chunk)
      let end = endOfFrame(held.peek(), 0)
      while (end !== undefined) {
        const [, , value] = decodeRequest(held.take(end))
        if (value !== undefined) this.arrivals.set(value.toString(), address)
        socket.write('+OK\r\n')
        end = endOfFrame(held.peek(), 0)
      }
    })
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    for (const server of this.#servers) await new Promise((resolve) => server.close(resolve))
  }
}

/** Lines of a pool besides `listen` and `redis`; servers without names, with, and mixed. */
function poolsOf(tcp: readonly string[], unix: readonly string[]): Record<string, string[]> {
  const memcached = LIBMEMCACHED_HOSTS.map((host) => `${host}:11211`)
  const servers = (list: readonly string[]) => ['servers:', ...list.map((text) => ` - ${text}`)]
  return {
    unnamed: servers(tcp.map((address) => `${address}:1`)),
    named: servers(tcp.map((address, index) => `${address}:1 server${index + 1}`)),
    weighted: servers(tcp.map((address, index) => `${address}:${index + 1}`)),
    host_names: servers(tcp.map((address) => `${address.replace('127.0.0.1', 'localhost')}:1`)),
    port_11211: servers(memcached.map((address) => `${address}:1`)),
    sockets: servers(unix.map((path) => `${path}:1`)),
    mixed: servers([`${tcp[0]}:3 b`, `${unix[0]}:2`, `${memcached[0]}:1`, `${tcp[1]}:1`]),
    tagged: ['hash_tag: "{}"', 'hash: murmur', ...servers(tcp.map((address) => `${address}:1`))],
    modula: ['distribution: modula', ...servers(tcp.map((address, i) => `${address}:${i + 1}`))],
    authenticated: ['redis_auth: hunter2', 'hash: crc32a', ...servers(tcp.map((a) => `${a}:1`))],
  }
}

describe('nutcracker.yml and the real nutcracker', () => {
  const recorders = new Recorders()
  const random = createRandom(specSeed())
  after(() => recorders.stop())

  it(`agree on ${KEYS_PER_POOL} keys in each pool of one file`, async () => {
    const directory = temporaryFiles()
    const tcp: string[] = []
    for (let index = 0; index < 4; index++) {
      const port = await freePort()
      tcp.push(`127.0.0.1:${port}`)
      await recorders.listen({ host: '127.0.0.1', port }, `127.0.0.1:${port}`)
    }
    const unix = [1, 2, 3].map((index) => join(directory, `${index}.sock`))
    for (const path of unix) await recorders.listen({ path }, `unix:${path}`)
    for (const host of LIBMEMCACHED_HOSTS) {
      await recorders.listen({ host, port: 11211 }, `${host}:11211`)
    }

    const pools = poolsOf(tcp, unix)
    const ports = new Map<string, number>()
    for (const name of Object.keys(pools)) ports.set(name, await freePort())
    const text = Object.entries(pools)
      .map(([name, lines]) => {
        const body = [`listen: 127.0.0.1:${ports.get(name)}`, 'redis: true', ...lines]
        return `${name}:\n${body.map((line) => `  ${line}\n`).join('')}`
      })
      .join('\n')
    const config = join(temporaryFiles({ 'nutcracker.yml': text }), 'nutcracker.yml')
    const nutcracker = await startNutcracker(text)
    try {
      for (const [pool, port] of ports) {
        const { edge, pools } = loadConfig({ env: {}, flags: { config, pool } })
        const [{ shards: servers, ...ring }] = pools
        const placement = new Placement({ ...ring, servers })
        const keys = Array.from({ length: KEYS_PER_POOL }, () => {
          const tag = random.next() < 0.3 ? `{${random.integer(0, 50)}}` : ''
          return Buffer.concat([Buffer.from(tag), random.bytes(random.integer(1, 20))])
        })
        const client = await connectRaw(port)
        if (edge.password !== undefined) await client.request('AUTH', edge.password)
        client.write(
          Buffer.concat(keys.map((key, id) => encodeRequest('SET', key, `${pool}${id}`))),
        )
        await client.replies(keys.length)
        await client.close()
        const ours = keys.map((key) => {
          const shard = servers[placement.shardOf(key, 0, key.length)]
          return shard && shardAddressText(shard).replace('localhost', '127.0.0.1')
        })
        const theirs = keys.map((_, id) => recorders.arrivals.get(`${pool}${id}`))
        expect(theirs, `${pool}, seed ${random.seed}`).to.deep.equal(ours)
        expect(new Set(theirs).size, pool).to.be.above(1)
      }
    } finally {
      await nutcracker.stop()
    }
  })
})
