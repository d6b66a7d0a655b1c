/** Between an application and a server: notes the requests that pass, and the errors that come back. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { decodeRequest, endOfFrame } from '../support/frames.ts'

export interface TappedRequest {
  /** From 0, in the order in which they were opened. */
  readonly connection: number
  readonly args: readonly Buffer[]
}

export class Tap {
  readonly requests: TappedRequest[] = []
  /** Error replies, as lines. */
  readonly errors: string[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #connections = 0

  private constructor(target: number) {
    this.#server = createServer((client) => this.#join(client, connect(target, '127.0.0.1')))
  }

  /** Listens on a free port, in front of a port of this machine. */
  static async open(target: number): Promise<Tap> {
    const tap = new Tap(target)
    tap.#server.listen(0, '127.0.0.1')
    await once(tap.#server, 'listening')
    return tap
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket, server: Socket): void {
    const connection = this.#connections++
    const requests = framesOf((frame) => {
      this.requests.push({ connection, args: decodeRequest(frame).map((arg) => Buffer.from(arg)) })
    })
    const replies = framesOf((frame) => {
      if (frame[0] === MINUS) this.errors.push(frame.toString('latin1').trimEnd())
    })
    const ways = [
      { from: client, to: server, frames: requests },
      { from: server, to: client, frames: replies },
    ]
    for (const { from, to, frames } of ways) {
      this.#sockets.add(from)
      from.setNoDelay(true)
      from.on('data', (chunk: Buffer) => {
        frames(chunk)
        to.write(chunk)
      })
      from.on('end', () => to.end())
      // Whoever is reset, or is gone: the other side is told by the end of its connection.
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroySoon()
      })
    }
  }
}

const MINUS = '-'.charCodeAt(0)

/** Calls `found` with each whole frame of what comes. */
function framesOf(found: (frame: Buffer) => void): (chunk: Buffer) => void {
  let bytes: Buffer = Buffer.alloc(0)
  return (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
    for (let end: number | undefined; bytes.length > 0; bytes = bytes.subarray(end)) {
      end = endOfFrame(bytes, 0)
      if (end === undefined) return
      found(bytes.subarray(0, end))
    }
  }
}
