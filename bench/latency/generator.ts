/**
 * An open-loop load in a process of its own: GETs leave on schedule, whatever the answers do, and a latency counts
 * from the moment at which its request was due. A target that stalls cannot hide by holding the load back.
 *
 *   node generator.js '{"at":{"port":6379},"connections":1,"rate":2000,"seconds":5,"keys":100000,"valueBytes":32}'
 *
 * Prints what was measured as JSON. The first second does not count.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ChildAddress } from '../../spec/support/child.ts'
import { encodeRequest } from '../../spec/support/frames.ts'
import { type Latencies, latenciesOf } from './latencies.ts'

export interface OpenLoad {
  readonly at: ChildAddress
  readonly connections: number
  /** Requests a second, over all connections in turn. */
  readonly rate: number
  readonly seconds: number
  /** So many keys are there, with values of this size. */
  readonly keys: number
  readonly valueBytes: number
}

const WARM_UP_MS = 1000
/** How long a tick may keep the process from its sockets, milliseconds: latencies are known to within it. */
const WAIT_MS_MAX = 0.05
/** A target that has not answered by then does not keep up. */
const LAST_ANSWER_MS = 10_000

const load = JSON.parse(process.argv[2] ?? '') as OpenLoad
const replyBytes = Buffer.byteLength(`$${load.valueBytes}\r\n`) + load.valueBytes + 2
const total = Math.round(load.rate * (WARM_UP_MS / 1000 + load.seconds))
const counted = Math.round(load.rate * load.seconds)

class Connection {
  readonly socket: Socket
  readonly #first: number
  /** Of the reply that has not come whole. */
  #bytes = 0
  #replies = 0

  /** `first`: the number of its first request, among all. */
  constructor(socket: Socket, first: number, answered: (request: number) => void) {
    this.socket = socket
    this.#first = first
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      if (this.#bytes === 0 && chunk[0] !== 0x24) throw new Error(`answered ${chunk}`)
      this.#bytes += chunk.length
      for (; this.#bytes >= replyBytes; this.#bytes -= replyBytes) {
        answered(this.#first + this.#replies++ * load.connections)
      }
    })
  }
}

const requests = Array.from({ length: 1000 }, () => {
  const key = Math.floor(Math.random() * load.keys)
  return encodeRequest('GET', `key:${String(key).padStart(12, '0')}`)
})

/** Resolves to the latencies that count, milliseconds. */
async function run(): Promise<Latencies> {
  const latencies = new Float64Array(counted)
  let left = total
  let done = () => {}
  const allAnswered = new Promise<void>((resolve) => {
    done = resolve
  })
  let startMs = 0
  const answered = (request: number): void => {
    const at = request - (total - counted)
    if (at >= 0) latencies[at] = performance.now() - startMs - (request / load.rate) * 1000
    if (--left === 0) done()
  }
  const connections: Connection[] = []
  for (let i = 0; i < load.connections; i++) {
    const socket = 'path' in load.at ? connect(load.at.path) : connect(load.at.port, '127.0.0.1')
    await once(socket, 'connect')
    connections.push(new Connection(socket, i, answered))
  }
  startMs = performance.now()
  const lateMs = await sendOnSchedule(connections, startMs)
  const timer = setTimeout(() => {
    throw new Error(`${left} of ${total} requests were not answered`)
  }, LAST_ANSWER_MS)
  await allAnswered
  clearTimeout(timer)
  for (const { socket } of connections) socket.destroy()
  return latenciesOf(latencies, lateMs)
}

/** Resolves when all have left, to the most that one left too late, milliseconds: the generator's own fault. */
function sendOnSchedule(connections: readonly Connection[], startMs: number): Promise<number> {
  const waiter = new Int32Array(new SharedArrayBuffer(4))
  const msApart = 1000 / load.rate
  let [sent, lateMs] = [0, 0]
  return new Promise((resolve) => {
    const tick = (): void => {
      const nowMs = performance.now() - startMs
      for (; sent < total && sent * msApart <= nowMs; sent++) {
        if (sent >= total - counted) lateMs = Math.max(lateMs, nowMs - sent * msApart)
        const request = requests[sent % requests.length] as Buffer
        connections[sent % connections.length]?.socket.write(request)
      }
      if (sent === total) {
        resolve(lateMs)
        return
      }
      const restMs = sent * msApart - (performance.now() - startMs)
      // Timers are too coarse for 30,000 requests a second, and a loop that never waits takes a core.
      if (restMs > 0) Atomics.wait(waiter, 0, 0, Math.min(restMs, WAIT_MS_MAX))
      setImmediate(tick)
    }
    tick()
  })
}

process.stdout.write(JSON.stringify(await run()))
