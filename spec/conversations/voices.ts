/** Those who talk to a server and what they have heard, and those who watch it. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import type { Exception, Piece } from './conversation.ts'

/** One who talks, and all that it has heard. */
export class Voice {
  readonly #socket: Socket
  readonly #alike: readonly Exception[]
  #heard = ''
  #hasEnded = false
  /** The number that the server has given it. */
  #number = ''

  private constructor(socket: Socket, alike: readonly Exception[]) {
    this.#socket = socket
    this.#alike = alike
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#heard += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#hasEnded = true
      })
    }
  }

  /** `login`: what the client must say to be told its number. It begins without it. */
  static async join(
    port: number,
    login: readonly string[],
    alike: readonly Exception[],
  ): Promise<Voice> {
    const voice = new Voice(connect(port, '127.0.0.1'), alike)
    await once(voice.#socket, 'connect')
    voice.#socket.write(`${[...login, 'CLIENT ID', 'RESET'].join('\r\n')}\r\n`)
    await until(() => voice.#heard.endsWith('+RESET\r\n'))
    voice.#number = /:(\d+)\r\n\+RESET/.exec(voice.#heard)?.[1] ?? ''
    voice.#heard = ''
    return voice
  }

  /** Without the number, which servers give as they please, and without what may differ. */
  get heard(): string {
    let heard = this.#heard.replaceAll(`:${this.#number}\r\n`, ':NUMBER\r\n')
    for (const { pattern } of this.#alike) heard = heard.replaceAll(pattern, 'EXCEPTION')
    return heard
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  async say(pieces: readonly Piece[]): Promise<void> {
    for (const { bytes, pause } of pieces) {
      if (this.#hasEnded) return
      this.#socket.write(bytes)
      for (let i = 0; i < pause; i++) await nextTurn()
    }
  }

  async leave(): Promise<void> {
    this.#socket.destroy()
    if (!this.#socket.closed) await once(this.#socket, 'close')
  }
}

/** Rounds after which a server has read, and answered, what came before the first. */
const ROUNDS = 3

/** Somebody who asks a server how things are, and takes no part. */
export class Observer {
  readonly #client: RawClient

  private constructor(client: RawClient) {
    this.#client = client
  }

  static async of(port: number, password: string | undefined): Promise<Observer> {
    const client = await connectRaw(port)
    if (password !== undefined) await client.request('AUTH', password)
    return new Observer(client)
  }

  ask(...words: readonly string[]): Promise<Buffer> {
    return this.#client.request(...words)
  }

  /** Until the server has read all that was written to it before, and we what it has answered. */
  async round(): Promise<void> {
    for (let i = 0; i < ROUNDS; i++) {
      await this.#client.request('PING')
      await nextTurn()
    }
  }

  /** The commands in which clients of the server wait. */
  async waits(): Promise<string[]> {
    const list = (await this.#client.request('CLIENT', 'LIST')).toString('latin1')
    return [...list.matchAll(/ flags=\S*b.* cmd=(\S*)/g)].map(([, command = '']) => command)
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}
