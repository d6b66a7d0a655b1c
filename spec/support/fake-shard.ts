/**
 * A scripted Redis: an in-process server that shows each request to the spec and answers exactly
 * the bytes the spec wants, when it wants: late, in pieces, too many, malformed, or not at all.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { decodeRequest, endOfFrame, latin1 } from './frames.ts'
import { GrowingBytes } from './growing-bytes.ts'
import { ifSpecFails } from './left-behind.ts'

/** What to do with a request: the bytes to answer, or undefined when the spec answers by hand. */
export type Script = (request: FakeRequest) => string | Buffer | undefined

export interface FakeRequest {
  readonly connection: FakeConnection
  readonly args: readonly Buffer[]
  /** The arguments as latin1 text, with the command's name in upper case: `GET user:1`. */
  readonly text: string
  reply(bytes: string | Buffer): void
}

export interface FakeShardOptions {
  readonly port?: number
  /** Answer AUTH, SELECT, HELLO, PING, CLIENT, COMMAND, ROLE and INFO by itself, unrecorded. Default true. */
  readonly handshake?: boolean
}

/** Answers to what a proxy says on its own account before and between the requests of clients. */
const HANDSHAKE_REPLIES = new Map([
  ['AUTH', '+OK\r\n'],
  ['SELECT', '+OK\r\n'],
  ['PING', '+PONG\r\n'],
  ['CLIENT', '+OK\r\n'],
  ['COMMAND', '*0\r\n'],
  ['INFO', '$20\r\nredis_version:7.0.15\r\n'],
  ['ROLE', '*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n'],
  ['HELLO', '%1\r\n$5\r\nproto\r\n:3\r\n'],
])

/** Default script: every request is answered `+OK`. */
export async function startFakeShard(
  script: Script = () => '+OK\r\n',
  options: FakeShardOptions = {},
): Promise<FakeShard> {
  const shard = new FakeShard(script, options.handshake ?? true)
  await shard.listen(options.port ?? 0)
  return shard
}

export class FakeShard {
  /** Every connection ever accepted, in order; closed ones included. */
  readonly connections: FakeConnection[] = []
  /** Every request of clients, in order of arrival. */
  readonly requests: FakeRequest[] = []
  port = 0
  readonly #script: Script
  readonly #handshake: boolean
  readonly #server: Server
  #taken = 0
  readonly #waiting: (() => void)[] = []

  constructor(script: Script, handshake: boolean) {
    this.#script = script
    this.#handshake = handshake
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket))
    this.#server.unref()
  }

  /** Listens again after stop(), on the same port when it is given. */
  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
    this.#server.once(
      'close',
      ifSpecFails(() => this.stop()),
    )
  }

  /** The next request that was not yet given out by this method, waiting for it when need be. */
  async nextRequest(): Promise<FakeRequest> {
    for (;;) {
      const request = this.requests[this.#taken]
      if (request !== undefined) {
        this.#taken += 1
        return request
      }
      await this.#change()
    }
  }

  /** Waits until so many connections have been accepted since the start; returns the last of them. */
  async connection(count: number): Promise<FakeConnection> {
    for (;;) {
      const connection = this.connections[count - 1]
      if (connection !== undefined) return connection
      await this.#change()
    }
  }

  /** Refuses new connections and resets the open ones. */
  async stop(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined
    this.#server.close()
    for (const connection of this.connections) connection.reset()
    await closed
  }

  #accept(socket: Socket): void {
    this.connections.push(new FakeConnection(socket, (request) => this.#receive(request)))
    this.#notify()
  }

  #receive(request: FakeRequest): void {
    const name = request.text.split(' ', 1)[0] ?? ''
    const handshakeReply = this.#handshake ? HANDSHAKE_REPLIES.get(name) : undefined
    if (handshakeReply !== undefined) {
      request.reply(handshakeReply)
      return
    }
    this.requests.push(request)
    const reply = this.#script(request)
    if (reply !== undefined) request.reply(reply)
    this.#notify()
  }

  /** Waits for the next connection or request. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #notify(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

class FakeConnection {
  readonly socket: Socket
  /** Every request on it, the handshake included. */
  readonly requests: FakeRequest[] = []
  readonly #received = new GrowingBytes()
  readonly #onRequest: (request: FakeRequest) => void

  constructor(socket: Socket, onRequest: (request: FakeRequest) => void) {
    this.socket = socket
    this.#onRequest = onRequest
    socket.unref()
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    // Resets are part of the play; specs look at `socket.closed`.
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
  }

  send(bytes: string | Buffer): void {
    if (this.socket.writable) this.socket.write(latin1(bytes))
  }

  /** Sends each piece in a turn of its own, so that the other side reads them one by one. */
  async sendInPieces(pieces: readonly (string | Buffer)[]): Promise<void> {
    for (const piece of pieces) {
      this.send(piece)
      await nextTurn()
      await nextTurn()
    }
  }

  /** Sends FIN; requests that arrive after it are still recorded. */
  halfClose(): void {
    this.socket.end()
  }

  /** Closes at once: FIN, or RST when received bytes are still unread. */
  close(): void {
    this.socket.destroy()
  }

  /** Sends RST. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** Stops reading, as a shard that hangs. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  async closed(): Promise<void> {
    // Not events.once(): that rejects on 'error', which comes first when the connection is reset.
    if (!this.socket.closed) await new Promise((resolve) => this.socket.once('close', resolve))
  }

  #read(chunk: Buffer): void {
    this.#received.append(chunk)
    for (;;) {
      if (this.#received.length === 0) return
      const end = endOfFrame(this.#received.peek(), 0)
      if (end === undefined) return
      const request = this.#request(decodeRequest(this.#received.take(end)))
      this.requests.push(request)
      this.#onRequest(request)
    }
  }

  #request(args: readonly Buffer[]): FakeRequest {
    const [name = '', ...others] = args.map((arg) => arg.toString('latin1'))
    const text = [name.toUpperCase(), ...others].join(' ')
    return { connection: this, args, text, reply: (bytes) => this.send(bytes) }
  }
}
