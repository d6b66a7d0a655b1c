/**
 * A scripted sentinel: says what the spec lets it say, whether that is true or not. For what real
 * sentinels will not do on demand.
 */
import { type FakeRequest, type FakeShard, startFakeShard } from './fake-shard.ts'
import { bulk } from './frames.ts'

export interface Told {
  /** `host:port` of the master. */
  readonly master: string
  readonly epoch: number
  readonly replicas?: readonly string[]
  /** Other sentinels: `host:port`, or `host:port id`. */
  readonly sentinels?: readonly string[]
}

export async function startFakeSentinel(
  masters: Readonly<Record<string, Told>> = {},
): Promise<FakeSentinel> {
  const sentinel = new FakeSentinel(masters)
  await sentinel.start()
  return sentinel
}

export class FakeSentinel {
  /** What it says of each master by name. */
  masters: Readonly<Record<string, Told>>
  /** How often it has been asked where a master is. */
  asked = 0
  /** Who it says that it is; undefined: it does not know the question. */
  id: string | undefined
  /** It takes requests and answers none. */
  deaf = false
  readonly #listeners = new Set<FakeRequest['connection']>()
  #server: FakeShard | undefined

  constructor(masters: Readonly<Record<string, Told>>) {
    this.masters = masters
  }

  async start(): Promise<void> {
    this.#server = await startFakeShard((request) => this.#answer(request))
  }

  get address(): string {
    return `127.0.0.1:${this.#server?.port}`
  }

  /** Connections that listen to its events. */
  get listeners(): number {
    return [...this.#listeners].filter(({ socket }) => !socket.closed).length
  }

  /** `words`: separated by spaces, as sentinels publish them. */
  publish(event: string, words: string): void {
    const pattern = event.startsWith('-failover-abort-') ? '-failover-abort-*' : event
    const message = ['pmessage', pattern, event, words]
    for (const listener of this.#listeners) listener.send(arrayOf(message))
  }

  /** +switch-master, and from now on it says so when it is asked. */
  switchMaster(name: string, told: Told): void {
    const before = this.masters[name]?.master ?? ''
    this.masters = { ...this.masters, [name]: told }
    this.publish('+switch-master', `${name} ${wordsOf(before)} ${wordsOf(told.master)}`)
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
  }

  #answer({ text, connection }: FakeRequest): Buffer | string | undefined {
    if (this.deaf) return undefined
    const [command, question = '', name = ''] = text.split(' ')
    if (command === 'PSUBSCRIBE') {
      this.#listeners.add(connection)
      const patterns = text.split(' ').slice(1)
      return Buffer.concat(
        patterns.map((pattern, i) =>
          Buffer.concat([Buffer.from('*3\r\n'), bulk('psubscribe'), bulk(pattern), number(i + 1)]),
        ),
      )
    }
    if (question === 'MYID') return this.id === undefined ? '-ERR Unknown\r\n' : bulk(this.id)
    const told = this.masters[name]
    if (question === 'GET-MASTER-ADDR-BY-NAME') {
      this.asked++
      return told === undefined ? '*-1\r\n' : arrayOf(told.master.split(':'))
    }
    if (told === undefined) return '-ERR No such master with that name\r\n'
    if (question === 'MASTER') return arrayOf(fieldsOf(told.master, { epoch: told.epoch }))
    const listed = (question === 'REPLICAS' ? told.replicas : told.sentinels) ?? []
    const instances = listed.map((address) => arrayOf(fieldsOf(address, {})))
    return Buffer.concat([Buffer.from(`*${instances.length}\r\n`), ...instances])
  }
}

function fieldsOf(address: string, { epoch }: { readonly epoch?: number }): string[] {
  const [ip = '', port = '', runid = ''] = address.split(/[: ]/)
  const flags = epoch === undefined ? 'slave' : 'master'
  const own = epoch === undefined ? [] : ['config-epoch', `${epoch}`, 'quorum', '2']
  return ['ip', ip, 'port', port, 'runid', runid, 'flags', flags, ...own]
}

function wordsOf(address: string): string {
  return address.replace(':', ' ')
}

function arrayOf(values: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from(`*${values.length}\r\n`), ...values.map((each) => bulk(each))])
}

function number(value: number): Buffer {
  return Buffer.from(`:${value}\r\n`)
}
