/**
 * A scripted master or replica: tells of its replication what the spec lets it tell, and answers reads
 * with its own name. For what real servers will not do on demand.
 */
import { type FakeRequest, type FakeShard, startFakeShard } from './fake-shard.ts'
import { bulk } from './frames.ts'

/** The fields of INFO that are told, but for those of its role. */
export interface ToldReplication {
  readonly offset: number
  /** Default: `one`, the same for all. */
  readonly history?: string
  readonly linkUp?: boolean
  readonly lastIoSeconds?: number
  readonly syncing?: boolean
  readonly zone?: string
}

export async function startFakeServer(
  name: string,
  role: 'master' | 'slave',
  told: ToldReplication,
): Promise<FakeServer> {
  const server = new FakeServer(name, role, told)
  await server.start()
  return server
}

export class FakeServer {
  readonly name: string
  readonly role: 'master' | 'slave'
  told: ToldReplication
  /** What requests of clients get; undefined: nothing. Default: the server's name. */
  answer: ((request: FakeRequest) => string | undefined) | undefined
  /** How often it has told of its replication. */
  asked = 0
  #shard: FakeShard | undefined

  constructor(name: string, role: 'master' | 'slave', told: ToldReplication) {
    this.name = name
    this.role = role
    this.told = told
  }

  async start(port = 0): Promise<void> {
    const script = (request: FakeRequest) => this.#reply(request)
    this.#shard = await startFakeShard(script, { handshake: false, port })
  }

  get port(): number {
    return this.#shard?.port ?? 0
  }

  /** Requests of clients, as text, in order. */
  get requests(): string[] {
    return (this.#shard?.requests ?? []).map(({ text }) => text).filter((text) => !isOurs(text))
  }

  /** Closes all connections and takes no more. */
  async stop(): Promise<void> {
    await this.#shard?.stop()
  }

  #reply(request: FakeRequest): string | Buffer | undefined {
    const { text } = request
    if (text.startsWith('INFO replication')) {
      this.asked++
      return bulk(this.#replication())
    }
    if (text.startsWith('INFO')) return bulk(`availability_zone:${this.told.zone ?? ''}\r\n`)
    if (text === 'PING') return '+PONG\r\n'
    if (text.startsWith('COMMAND')) return '*0\r\n'
    if (isOurs(text)) return '+OK\r\n'
    return this.answer === undefined ? bulk(this.name) : this.answer(request)
  }

  #replication(): string {
    const { offset, history = 'one', linkUp = true, lastIoSeconds = 0, syncing = false } = this.told
    const lines =
      this.role === 'master'
        ? [`master_repl_offset:${offset}`, 'connected_slaves:1']
        : [
            `master_link_status:${linkUp ? 'up' : 'down'}`,
            `master_last_io_seconds_ago:${lastIoSeconds}`,
            `master_sync_in_progress:${syncing ? 1 : 0}`,
            `slave_repl_offset:${offset}`,
          ]
    return [`role:${this.role}`, `master_replid:${history}`, ...lines, ''].join('\r\n')
  }
}

/** What an ambassador says on its own account. */
function isOurs(text: string): boolean {
  return /^(?:PING|INFO|COMMAND|HELLO|AUTH|SELECT|CLIENT|ROLE)\b/.test(text)
}
