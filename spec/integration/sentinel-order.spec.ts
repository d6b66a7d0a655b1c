/**
 * Program order through a switch. The classical mistake: a request is on its way to an old master that
 * is slow, the next one goes to the new master, and then the first is sent there again.
 */
import { expect } from 'chai'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../support/ambassador.ts'
import { type FakeSentinel, startFakeSentinel } from '../support/fake-sentinel.ts'
import { encodeRequest } from '../support/frames.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { Relay } from '../support/relay.ts'
import { until } from '../support/until.ts'

const ROUNDS = 100
const CLIENTS = 3
const BURST = 20

/** Appends numbers to a key, ever higher, without waiting for replies. */
class Appender {
  /** Of the numbers that were acknowledged. */
  readonly acknowledged: number[] = []
  readonly #client: RawClient
  readonly #name: string
  #next = 0
  #replies = 0
  #reading: Promise<void> = Promise.resolve()

  constructor(client: RawClient, name: string) {
    this.#client = client
    this.#name = name
  }

  burst(key: string): void {
    const first = this.#next
    this.#next += BURST
    const numbers = Array.from({ length: BURST }, (_, i) => first + i)
    const requests = numbers.map((n) => encodeRequest('APPEND', key, `${this.#name}${n},`))
    this.#client.write(Buffer.concat(requests))
    this.#reading = this.#reading.then(() => this.#read(numbers))
  }

  async #read(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) {
      const reply = String(await this.#client.reply())
      this.#replies++
      if (reply.startsWith(':')) this.acknowledged.push(number)
      else expect(reply).to.match(/^-ERR ambassador: shard a connection lost \(may have executed\)/)
    }
  }

  get replies(): number {
    return this.#replies
  }

  /** When all replies have come. */
  done(): Promise<void> {
    return this.#reading
  }

  /** Its numbers in a value, in the order in which they stand there. */
  numbersIn(value: string): number[] {
    const own = value.split(',').filter((token) => token.startsWith(this.#name))
    return own.map((token) => Number(token.slice(this.#name.length)))
  }
}

describe('program order through a switch of masters', () => {
  let servers: readonly [RedisServer, RedisServer]
  let relays: readonly [Relay, Relay]
  let sentinel: FakeSentinel
  let ambassador: AmbassadorUnderTest
  let observer: RawClient

  before(async () => {
    servers = [await startRedis(), await startRedis()]
    relays = [await Relay.start(servers[0].port), await Relay.start(servers[1].port)]
    sentinel = await startFakeSentinel({ alpha: toldOf(0, 0) })
    const flags = { sentinels: sentinel.address, connectionsPerShard: '2' }
    ambassador = await startAmbassadorFor(['redis+sentinel://alpha'], flags)
    observer = await ambassador.connect()
  })

  after(async () => {
    await ambassador.stop()
    await sentinel.stop()
    for (const each of [...relays, ...servers]) await each.stop()
  })

  function toldOf(master: 0 | 1, epoch: number) {
    const [own, other] = [relays[master].port, relays[master === 0 ? 1 : 0].port]
    return { master: `127.0.0.1:${own}`, epoch, replicas: [`127.0.0.1:${other}`] }
  }

  /** Resolves when the shard is at this server. */
  async function untilAt(server: 0 | 1): Promise<void> {
    const text = `127.0.0.1:${relays[server].port}`
    await until(async () => String(await observer.request('AMBASSADOR', 'SHARDS')).includes(text))
  }

  async function valueAt(server: RedisServer, key: string): Promise<string> {
    const client = await connectRaw(server.port)
    const reply = String(await client.request('GET', key))
    await client.close()
    return reply.split('\r\n')[1] ?? ''
  }

  /** From one server to the other, in the midst of everything. `held`: requests wait before that. */
  async function round(appenders: readonly Appender[], number: number, held: boolean) {
    const [old, heir] = number % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)
    const key = `k${number}${held}`
    const burst = (): void => {
      for (const each of appenders) each.burst(key)
    }
    const before = appenders.map(({ replies }) => replies)
    burst()
    await until(() => appenders.every(({ replies }, i) => replies > (before[i] ?? 0)))
    relays[old].holdBack()
    burst()
    await until(() => relays[old].heldBytes > 0)
    const words = `127.0.0.1 ${relays[heir].port} @ alpha 127.0.0.1 ${relays[old].port}`
    if (held) sentinel.publish('+selected-slave', `slave s ${words}`)
    burst()
    sentinel.switchMaster('alpha', toldOf(heir, number + 1))
    await untilAt(heir)
    burst()
    // The old master gets what was on its way, and answers.
    await relays[old].letGo()
    burst()
    await Promise.all(appenders.map((each) => each.done()))
    return [await valueAt(servers[old], key), await valueAt(servers[heir], key)] as const
  }

  for (const held of [false, true]) {
    it(`is kept in ${ROUNDS} rounds, ${held ? 'with' : 'without'} requests that wait for the heir`, async () => {
      const appenders: Appender[] = []
      for (let i = 0; i < CLIENTS; i++) {
        appenders.push(new Appender(await ambassador.connect(), `abc${i}:`))
      }
      await untilAt(0)
      for (let number = 0; number < ROUNDS; number++) {
        const [atOld, atHeir] = await round(appenders, number, held)
        for (const appender of appenders) {
          const numbers = [...appender.numbersIn(atOld), ...appender.numbersIn(atHeir)]
          // Ascending: nothing was overtaken, and nothing was done twice.
          const ascending = [...new Set(numbers)].sort((one, other) => one - other)
          expect(numbers.join(' '), `round ${number}`).to.equal(ascending.join(' '))
          expect(numbers).to.include.members(appender.acknowledged.splice(0))
          expect(appender.numbersIn(atHeir)).to.have.lengthOf.at.least(BURST)
        }
      }
    })
  }
})
