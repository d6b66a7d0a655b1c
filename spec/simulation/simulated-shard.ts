/**
 * A shard: executes what it is sent, in order, and remembers what it has done. It may move: then another
 * server is the shard, and the one before does late, or never, what had reached it. It may ask for tokens
 * that are replaced: then what entered after a token was known is done after the login with that or a newer one.
 */
import { FENCE } from '../../lib/upstream/connection/making/handshake.ts'
import { bulk, decodeRequest, endOfFrame, latin1 } from '../support/frames.ts'
import { GrowingBytes } from '../support/growing-bytes.ts'
import { askerOf, effectsOf, execute } from './commands.ts'

/** One server after the other. */
class SimulatedServer {
  input = new GrowingBytes()
  /** By client: its first and its latest request here. */
  readonly first = new Map<string, number>()
  readonly latest = new Map<string, number>()
  /** The newest token that the connection has come with, and the last, taken or refused; 0: none. */
  login = 0
  lastLogin = 0
}

export class SimulatedShard {
  readonly index: number
  /** How often each effect has come about. */
  readonly done = new Map<string, number>()
  /** By effect: the token that was known when its request entered. */
  readonly tokens = new Map<string, number>()
  /** Refuses the next so many logins on connections that there are; those stay as they were. */
  refusals = 0
  /** Replies on their way. */
  output = new GrowingBytes()
  readonly #servers = [new SimulatedServer()]

  constructor(index: number) {
    this.index = index
  }

  get #server(): SimulatedServer {
    return this.#servers.at(-1) as SimulatedServer
  }

  /** The number of the token of the last login. */
  get lastLogin(): number {
    return this.#server.lastLogin
  }

  receive(bytes: Buffer): void {
    this.#server.input.append(bytes)
  }

  /** Executes at most `requestsMax` requests, of those that have arrived whole. */
  execute(requestsMax: number): void {
    this.#execute(this.#server, requestsMax, (reply) => this.output.append(reply))
  }

  /** Servers that the shard has left do what had reached them; nobody hears their answers. */
  executeLate(): void {
    for (const server of this.#servers.slice(0, -1)) {
      this.#execute(server, Number.POSITIVE_INFINITY, () => {})
    }
  }

  /** Another server takes over. `bytes` had reached the one before. */
  move(bytes: Buffer): void {
    this.receive(bytes)
    this.output = new GrowingBytes()
    this.#servers.push(new SimulatedServer())
  }

  /** The connection is gone: perhaps after the requests that had arrived were executed. */
  disconnect(executed: boolean): void {
    if (executed) this.execute(Number.POSITIVE_INFINITY)
    this.#server.input = new GrowingBytes()
    this.#server.login = 0
    this.#server.lastLogin = 0
    this.output = new GrowingBytes()
  }

  #execute(server: SimulatedServer, requestsMax: number, answer: (reply: Buffer) => void): void {
    const { input } = server
    for (let i = 0; i < requestsMax && input.length > 0; i += 1) {
      const end = endOfFrame(input.peek(), 0)
      if (end === undefined) return
      const request = input.take(end)
      const args = decodeRequest(request).map((arg) => arg.toString('latin1'))
      if (args.length === 1 && args[0] === 'PING') {
        answer(latin1('+PONG\r\n'))
        continue
      }
      if (FENCE.equals(request)) {
        answer(bulk(args[1] as string))
        continue
      }
      if (args[0] === 'AUTH') {
        answer(this.#login(server, tokenOf(args)))
        continue
      }
      for (const effect of effectsOf(args, this.index)) this.#do(server, effect)
      answer(execute(args, this.index))
    }
  }

  #login(server: SimulatedServer, token: number): Buffer {
    const isRefused = server.login > 0 && this.refusals > 0
    if (isRefused) this.refusals -= 1
    server.login = Math.max(server.login, token)
    server.lastLogin = token
    return latin1(isRefused ? '-WRONGPASS no\r\n' : '+OK\r\n')
  }

  #do(server: SimulatedServer, effect: string): void {
    if (server.login < (this.tokens.get(effect) ?? 0)) {
      throw new Error(`${effect} executed before the login that it was behind`)
    }
    const times = (this.done.get(effect) ?? 0) + 1
    if (times > 1) throw new Error(`done twice: ${effect}`)
    this.done.set(effect, times)
    const { client, sequence } = askerOf(effect)
    const latest = server.latest.get(client) ?? 0
    if (sequence < latest) throw new Error(`${effect} executed after request ${latest}`)
    if (!server.first.has(client)) server.first.set(client, sequence)
    server.latest.set(client, sequence)
    this.#checkAcross(client)
  }

  /** What a later server does of a client came after all that earlier ones do, whenever they do it. */
  #checkAcross(client: string): void {
    let latest = 0
    for (const server of this.#servers) {
      const first = server.first.get(client)
      if (first === undefined) continue
      if (first <= latest) throw new Error(`${client}.${first} overtook request ${latest}`)
      latest = server.latest.get(client) ?? latest
    }
  }
}

function tokenOf([, , password = '']: readonly string[]): number {
  return Number(password.slice(1))
}
