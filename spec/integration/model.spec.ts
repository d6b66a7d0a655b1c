/**
 * Three shards, and a cluster, with keys without tags against their model: one plain Redis that holds all keys. The
 * same random requests go to both, in pipelines; every reply must be the same, up to an order that
 * Redis itself leaves open.
 */
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../support/ambassador.ts'
import { encodeRequest, endOfFrame } from '../support/frames.ts'
import { createRandom, type Random, specSeed } from '../support/random.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { startTopology, TOPOLOGIES, type TopologyName } from '../support/shared-shards.ts'

const REQUESTS = 12_000
/** Most requests in one write. */
const PIPELINE_MAX = 200
/** Keys of each type; few, so that they meet often, and enough for all shards to have some. */
const KEYS = 12

/** Whose elements come in any order. */
const UNORDERED = /^(KEYS|SMEMBERS|SINTER|SUNION|SDIFF|HGETALL) /

/** Makes requests: words separated by spaces. */
class Requests {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  next(): string {
    return this.#random.pick(this.#kinds)()
  }

  #number(below: number): number {
    return this.#random.integer(0, below)
  }

  #value(): string {
    return this.#random.pick(['1', '22', '-3', 'word', 'x'.repeat(this.#number(300)), '\0\r\n\xff'])
  }

  /** A key of that type most of the time. */
  #key(type: string): string {
    const types = ['s', 'l', 'u', 'h', 'z', 'p', 'x']
    const chosen = this.#number(20) === 0 ? this.#random.pick(types) : type
    return `${chosen}${this.#number(KEYS)}`
  }

  #several(type: string): string[] {
    return Array.from({ length: 1 + this.#number(6) }, () => this.#key(type))
  }

  #anyKeys(): string {
    return this.#several(this.#random.pick(['s', 's', 'l', 'u', 'h', 'z'])).join(' ')
  }

  #counted(type: string): string {
    const keys = this.#several(type)
    return `${keys.length} ${keys.join(' ')}`
  }

  readonly #single: readonly (() => string)[] = [
    () => `SET ${this.#key('s')} ${this.#value()}`,
    () => `GET ${this.#key('s')}`,
    () => `APPEND ${this.#key('s')} ${this.#value()}`,
    () => `INCR ${this.#key('s')}`,
    () => `GETDEL ${this.#key('s')}`,
    () => `STRLEN ${this.#key('s')}`,
    () => `TYPE ${this.#key('s')}`,
    () => `RPUSH ${this.#key('l')} ${this.#value()} ${this.#value()}`,
    () => `LPOP ${this.#key('l')} 2`,
    () => `LRANGE ${this.#key('l')} 0 -1`,
    () => `SADD ${this.#key('u')} ${this.#number(9)} m${this.#number(9)}`,
    () => `SREM ${this.#key('u')} ${this.#number(9)}`,
    () => `SMEMBERS ${this.#key('u')}`,
    () => `HSET ${this.#key('h')} f${this.#number(5)} ${this.#value()}`,
    () => `HGETALL ${this.#key('h')}`,
    () => `HDEL ${this.#key('h')} f${this.#number(5)}`,
    () => `ZADD ${this.#key('z')} ${this.#number(50) / 4} m${this.#number(9)}`,
    () => `ZREM ${this.#key('z')} m${this.#number(9)}`,
    () => `ZRANGE ${this.#key('z')} 0 -1 WITHSCORES`,
    () => `PFADD ${this.#key('p')} ${this.#number(5000)} ${this.#number(5000)}`,
    () => `XADD ${this.#key('x')} * f ${this.#value()}`.replace('*', `${++this.#entry}-1`),
    () => `XLEN ${this.#key('x')}`,
    () => `EVAL return{redis.call('TYPE',KEYS[1]),ARGV[1]} 1 ${this.#key('s')} ${this.#value()}`,
  ]

  readonly #split: readonly (() => string)[] = [
    () => `MGET ${this.#anyKeys()}`,
    () =>
      `MSET ${this.#several('s')
        .map((key) => `${key} ${this.#value()}`)
        .join(' ')}`,
    () => `EXISTS ${this.#anyKeys()}`,
    () => `TOUCH ${this.#anyKeys()}`,
    () => `${this.#random.pick(['DEL', 'UNLINK'])} ${this.#anyKeys()}`,
  ]

  readonly #everywhere: readonly (() => string)[] = [
    () => 'DBSIZE',
    () => `KEYS ${this.#random.pick(['*', 's*', '?1*', 'none*'])}`,
    () => (this.#number(20) === 0 ? this.#random.pick(['FLUSHALL', 'FLUSHDB']) : 'DBSIZE'),
    () => `PUBLISH channel${this.#number(9)} message`,
  ]

  readonly #readFromSeveral: readonly (() => string)[] = [
    () => `SUNION ${this.#several('u').join(' ')}`,
    () => `SINTER ${this.#several('u').join(' ')}`,
    () => `SDIFF ${this.#several('u').join(' ')}`,
    () => `SINTERCARD ${this.#counted('u')}`,
    () => `ZUNION ${this.#counted('z')} WITHSCORES`,
    () => `ZINTER ${this.#counted('z')} AGGREGATE MAX WITHSCORES`,
    () => `ZDIFF ${this.#counted('z')}`,
    () => `PFCOUNT ${this.#several('p').join(' ')}`,
    () => `XREAD COUNT 3 STREAMS ${this.#streams()}`,
  ]

  #entry = 0

  /** Each stream once: what Redis answers for one that is named twice follows from its own order. */
  #streams(): string {
    const names = [...new Set(this.#several('x'))]
    return [...names, ...names.map(() => this.#number(this.#entry + 2))].join(' ')
  }

  readonly #kinds = [
    ...this.#single,
    ...this.#single,
    ...this.#split,
    ...this.#split,
    ...this.#split,
    ...this.#everywhere,
    ...this.#readFromSeveral,
  ]
}

/** In some fixed order where Redis's own is open. */
function comparable(request: string, reply: Buffer): string {
  const text = reply.toString('latin1')
  if (!UNORDERED.test(request) || !/^[*~%]/.test(text)) return text
  const elements: string[] = []
  let start = reply.indexOf('\r\n') + 2
  const header = text.slice(0, start)
  while (start < reply.length) {
    const end = endOfFrame(reply, start) ?? reply.length
    elements.push(text.slice(start, end))
    start = end
  }
  return header + elements.sort().join('')
}

function write(client: RawClient, requests: readonly string[]): void {
  const frames = requests.map((line) => encodeRequest(...line.split(' ')))
  client.write(Buffer.concat(frames))
}

/** Every key, by SCAN to the end. */
async function scanAll(client: RawClient, count: number): Promise<string[]> {
  const keys = new Set<string>()
  let cursor = '0'
  do {
    const page = (await client.request('SCAN', cursor, 'COUNT', String(count))).toString('latin1')
    const strings = [...page.matchAll(/\$\d+\r\n([^\r]*)\r\n/g)].map(([, text = '']) => text)
    const [next = '', ...found] = strings
    cursor = next
    for (const key of found) keys.add(key)
  } while (cursor !== '0')
  return [...keys].sort()
}

for (const topology of TOPOLOGIES) {
  describe(`${topology} and one Redis that holds all keys`, () => theyAnswerAlike(topology))
}

function theyAnswerAlike(topology: TopologyName): void {
  let model: RedisServer
  let ambassador: AmbassadorUnderTest
  let stop: () => Promise<void>

  before(async () => {
    model = await startRedis()
    ;({ ambassador, stop } = await startTopology(topology))
  })

  after(async () => {
    await stop()
    await model.stop()
  })

  for (const protocol of [2, 3] as const) {
    it(`answer ${REQUESTS} random requests alike, in RESP${protocol}`, async () => {
      const random = createRandom(specSeed())
      const requests = new Requests(random)
      const ours = await ambassador.connect(protocol)
      const theirs = await connectRaw(model.port)
      if (protocol === 3) await theirs.request('HELLO', '3')
      for (const client of [ours, theirs]) await client.request('FLUSHALL')
      for (let done = 0; done < REQUESTS; ) {
        const length = random.integer(1, PIPELINE_MAX)
        const lines = Array.from({ length }, () => requests.next())
        write(ours, lines)
        write(theirs, lines)
        const [ourReplies, theirReplies] = await Promise.all([
          ours.replies(length),
          theirs.replies(length),
        ])
        for (const [i, line] of lines.entries()) {
          const about = `seed ${random.seed}, request ${done + i}: ${line.slice(0, 200)}`
          const expected = comparable(line, theirReplies[i] as Buffer)
          expect(comparable(line, ourReplies[i] as Buffer), about).to.equal(expected)
        }
        done += length
        const count = random.integer(1, 20)
        const keys = await scanAll(theirs, 1000)
        expect(await scanAll(ours, count), `SCAN, seed ${random.seed}`).to.deep.equal(keys)
      }
      await theirs.close()
      await ambassador.quiet()
    })
  }
}
